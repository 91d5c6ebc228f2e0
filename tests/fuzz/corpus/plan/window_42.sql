SELECT window_start, count(*) FROM s GROUP BY window(k, '1 min')
