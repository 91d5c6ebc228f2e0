SELECT count(*) FILTER (WHERE k = 'a') AS a, sum(v) FILTER (WHERE k = 'a') FROM s GROUP BY cumulate(ts, '1 min', '1 h')
