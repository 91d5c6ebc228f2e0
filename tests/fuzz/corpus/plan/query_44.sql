INSERT INTO o SELECT k, count(*) FROM s GROUP BY k; INSERT INTO ka SELECT k, count(*) AS c FROM s GROUP BY k; INSERT INTO fi SELECT k, count(*) AS c FROM s GROUP BY window(ts,'1 min'), k EMIT FINAL
