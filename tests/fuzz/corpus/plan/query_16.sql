SELECT count(*) FROM s HAVING count(*) > 3
