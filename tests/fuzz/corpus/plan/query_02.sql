SELECT k, v * 2 AS dbl, 'x', 1+1, upper(k), CASE WHEN n > 5 THEN 'big' ELSE 'small' END, cast(n AS TEXT) FROM s WHERE n BETWEEN 1 AND 5 OR k IN ('a','b') AND k LIKE 'a%' AND v IS NOT NULL
