SELECT tumble(interval '1 minute') AS w, k, count(*) FROM s GROUP BY w, k
