SELECT window_start, count(*) FROM (SELECT ts, k FROM s UNION ALL SELECT ts, k FROM u) x GROUP BY window(ts, '1 min') WITH WATERMARK '3 s'
