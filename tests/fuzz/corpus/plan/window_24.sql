SELECT window_start, window_end, max(c) FROM (SELECT window_start, window_end, k, count(*) AS c FROM s GROUP BY window(ts,'1 min'), k) t GROUP BY window_start, window_end EMIT FINAL
