SELECT window_start, count(*) FROM s GROUP BY window(ts, '1 min', '1 min', '10 s')
