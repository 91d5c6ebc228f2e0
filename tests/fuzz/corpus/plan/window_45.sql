SELECT window_start, count(*) FROM s GROUP BY window(ts, '0 s')
