SELECT k, n, sum(c) FROM (SELECT k, n, x, count(*) AS c FROM (SELECT k, n, x FROM s) GROUP BY k, n, x) GROUP BY k, n UNION ALL SELECT k, n, count(*) FROM s GROUP BY k, n
