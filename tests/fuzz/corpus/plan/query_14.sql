SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY x), string_agg(k, ',' ORDER BY n DESC), max_by(k, v), first_value(k ORDER BY ts), bool_and(n > 1) FROM s GROUP BY window(ts, '1 min')
