SELECT window_start, window_end, k, sum(v) FROM TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1' MINUTE) WHERE n > 3 GROUP BY window_start, window_end, k
