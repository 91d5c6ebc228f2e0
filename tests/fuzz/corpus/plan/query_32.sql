SELECT b, count(*) FROM f GROUP BY b
