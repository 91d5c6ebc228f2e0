CREATE VIEW w AS SELECT window_start, k, sum(v) AS total FROM s GROUP BY window(ts, '1 min'), k WITH WATERMARK '1 s'; INSERT INTO o SELECT * FROM w WITH WATERMARK '7 s'
