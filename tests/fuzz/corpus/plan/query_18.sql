SELECT k, max(c) FROM (SELECT k, n, count(*) AS c FROM s GROUP BY k, n) GROUP BY k EMIT CHANGES EVERY '5 s'
