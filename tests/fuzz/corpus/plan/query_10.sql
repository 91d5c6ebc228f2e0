SELECT k, count(*), sum(v), avg(x), count(DISTINCT n), min(v) FILTER (WHERE n > 3) FROM s GROUP BY k HAVING count(*) > 2
