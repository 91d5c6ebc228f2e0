SELECT window_start, count(*) FROM u GROUP BY window(ts2, '1 min') WITH WATERMARK '1 min'
