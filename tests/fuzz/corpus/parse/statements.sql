-- Statements that must parse, and come back from unparsing as the same tree. test_parser.c reads them.
-- The dialect's own statements come first, then the ways in which others write the same, then the 23 Nexmark queries.

CREATE SOURCE sales (id_pedido TEXT NOT NULL, categoria TEXT, valor DECIMAL(12,2), "timestamp" TIMESTAMP)
WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS:-localhost:9092}', topic = 'black-friday-sales', format = 'json', start = 'earliest');
CREATE SINK revenue WITH (connector = 'postgres', url = '${PG_URL}', table = 'faturamento_tempo_real', primary_key = 'janela_inicio, categoria');
INSERT INTO revenue
SELECT window_start AS janela_inicio, window_end AS janela_fim, categoria, sum(valor) AS faturamento_total, count(*) AS volume_vendas
FROM sales GROUP BY window("timestamp", '1 min'), categoria WITH WATERMARK '2 min' EMIT CHANGES;
CREATE OR REPLACE VIEW v (a, b) AS SELECT 1, 2;
CREATE VIEW IF NOT EXISTS v AS WITH c AS (SELECT 1 AS x) SELECT * FROM c;
CREATE TEMPORARY VIEW v AS (SELECT 1);
CREATE MATERIALIZED VIEW v AS SELECT count(*) FROM t;
CREATE SINK s WITH (connector = 'console') AS SELECT a FROM t;
CREATE SINK s AS SELECT a FROM t EMIT FINAL WITH (connector = 'console') FORMAT UPSERT ENCODE JSON (force_append_only = true);
CREATE SINK s (a INT, b TEXT) WITH (connector = 'blackhole');
CREATE SINK s FROM v WITH (connector = kafka, primary_key = 'id');
CREATE SOURCE IF NOT EXISTS s WITH (connector = 'datagen', scenario = 'black-friday', rows_per_second = 10, seed = -1, ratio = 0.5, follow = true);
CREATE STREAM s (a INT) WITH (connector = 'file', path = '-');
CREATE TEMPORARY TABLE IF NOT EXISTS t (
    id BIGINT PRIMARY KEY NOT ENFORCED, kind TEXT DEFAULT 'none' COMMENT 'what it is', path TEXT PATH '$.a.b[0]', n INTEGER NULL,
    later AS ts + INTERVAL '1' DAY, price DECIMAL(10) AS CAST(cents AS DECIMAL(10)) / 100 NOT NULL, key TEXT METADATA, k BYTES METADATA FROM 'key',
    partition INT METADATA FROM 'partition' VIRTUAL, offset BIGINT METADATA VIRTUAL, "timestamp" TIMESTAMP(3) METADATA FROM 'timestamp',
    start TIMESTAMP, end TIMESTAMP, window TEXT, watermark TEXT, primary TEXT, constraint TEXT, value INT, values INT, job TEXT, interval INTERVAL,
    tags ARRAY<TEXT>, more TEXT[], yet INT ARRAY, r ROW<a INT, b ROW<c TEXT, d ARRAY<DOUBLE>>>, q ROW(a INT, b TEXT), s STRUCT<a: INT, b TEXT>,
    m MAP<TEXT, INT>, ts1 TIMESTAMP WITH TIME ZONE, ts2 TIMESTAMP(3) WITHOUT TIME ZONE, ts3 TIMESTAMP(6) WITH LOCAL TIME ZONE, d DOUBLE PRECISION,
    v CHARACTER VARYING(10), c CHAR(3),
    CONSTRAINT pk PRIMARY KEY (a, "B") NOT ENFORCED,
    WATERMARK FOR ts AS ts - INTERVAL '2' MINUTE
) COMMENT 'a table' WITH ('connector' = 'kafka', 'properties.bootstrap.servers' = 'h:9092', scan.startup.mode = 'earliest-offset', sink.buffer-flush.max-rows = 100,
    group = 'g', from = 'x', select = 'y', true-ish = no, event_time_field = ts);
CREATE TABLE t (a INT, PRIMARY KEY (a));
CREATE TABLE t (a INT, WATERMARK FOR a);
CREATE FUNCTION f(a DOUBLE, b INT) RETURNS DOUBLE LANGUAGE SQL AS 'a + b';
CREATE OR REPLACE FUNCTION f() RETURNS TEXT AS 'libx', 'sym' LANGUAGE C;
DROP SOURCE a;
DROP TABLE IF EXISTS a, "B c", source CASCADE;
DROP MATERIALIZED VIEW v;
DROP FUNCTION f;
DROP JOB IF EXISTS 'a-b';
SHOW SOURCES; SHOW TABLES; SHOW JOBS; SHOW ALL; SHOW state.ttl; SHOW "odd name";
SHOW CREATE x; SHOW CREATE TABLE a.b; SHOW CREATE VIEW "V";
DESCRIBE x; DESC a.b; DESCRIBE JOB j; DESCRIBE job;
SET parallel = 4; SET output TO ndjson; SET 'table.exec.state.ttl' = '1 h'; SET state.ttl = "5"; SET x = on; SET x = -1.5; SET x = true; SET x TO DEFAULT;
RESET ALL; RESET x; RESET 'a.b';
EXPLAIN SELECT 1; EXPLAIN ANALYZE SELECT 1; EXPLAIN ANALYZE myjob; EXPLAIN ANALYZE 'my job'; EXPLAIN WHY; EXPLAIN WHY j;
EXPLAIN (ANALYZE, FORMAT json, costs = false, "odd key" on) INSERT INTO a SELECT 1; EXPLAIN (SELECT 1);
INSERT INTO a.b (x, "Y") VALUES (1, 'a'), (2, NULL);
INSERT INTO a WITH c AS (SELECT 1) SELECT * FROM c;
INSERT INTO a (SELECT 1);
INSERT INTO dlq SELECT * FROM sales$errors;
INSERT INTO dlq SELECT * FROM sales$late;
EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT CASE WHEN x THEN 1 END FROM t; INSERT INTO b SELECT 2; END;
BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;
PRINT 'topic'; PRINT topic FROM BEGINNING LIMIT 5; PRINT 't' LIMIT 3 WITH (brokers = 'h:1');
INFER SOURCE FROM 'topic' WITH (brokers = 'h:1'); INFER SOURCE FROM 'file.json';
SUBMIT JOB j AS INSERT INTO a SELECT 1; SUBMIT j AS EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END; SUBMIT job AS SELECT 1;
STOP JOB j; STOP JOB 'x y' WITH SAVEPOINT WITH DRAIN; RESUME JOB j; PAUSE JOB j; DROP JOB j;

-- queries
SELECT key, partition, timestamp, value FROM t;
SELECT count(*) AS count FROM t;
SELECT timestamp, date, time, value, values, key, partition, offset, window, start, type, action, browser, location, level, count, sum, min, max, year, month,
    day, hour, minute, second, interval, first, last, source, sink, job, format, options, topic, name, watermark, emit, filter, over, row, rows, range, path,
    metadata, any, some, comment, primary, constraint, cast, exists_, grouping, similar, local, zone, at, fetch, at, leading FROM weir.partitions;
SELECT window.start, window.end, t.order, t.select, end, x AS end, y AS order, z AS table FROM t AS window;
SELECT a b, c AS d, t.*, s.t.*, *, "a""b", `back``tick`, "timestamp" FROM t x, u AS y (a, b), s.t;
SELECT left(a, 1), right(a, 1), replace(a, 'x', 'y'), if(a, b, c), values, date_trunc('day', ts), row(1, 2), format('x'), time, t.time FROM t;
SELECT DISTINCT a, b FROM t; SELECT ALL a FROM t;
SELECT 1, -1, - -1, 1.5, .5, 5., 1e5, 1.5e-3, 0x1F, 'it''s', E'a\n\t\\\'\u00e9', $$it's$$, $x$ $$ $x$, x'00ff', TRUE, FALSE, NULL, '';
SELECT DATE '2025-01-01', TIME '12:00', TIMESTAMP '2025-01-01 00:00', TIMESTAMPTZ '2025-01-01 00:00Z', JSON '{}', INTERVAL '1' MINUTE, INTERVAL '1 min 30 s',
    INTERVAL 2 MINUTES, INTERVAL '1 02:03:04' DAY TO SECOND, INTERVAL -'1' DAY, INTERVAL '1' YEAR, INTERVAL '5 days' x, interval + interval, date - 1;
SELECT a + b - c * d / e % f ^ g, (a + b) * c, a - (b - c), a || b || c, -a ^ b, a ^ b ^ c, -(a + b), NOT a AND b OR c, NOT (a OR b), a AND (b OR c),
    (a AND b) AND c, a AND (b AND c), ~a;
SELECT a = b, a <> b, a != b, a == b, a < b, a <= b, a > b, a >= b, (a = b) = c, a = (b < c), a IS NULL, a IS NOT NULL, a IS TRUE, a IS NOT FALSE, a IS UNKNOWN,
    a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b, (a IS NULL) IS NULL, NOT a IS NULL;
SELECT a LIKE 'x%', a NOT LIKE b ESCAPE '\', a ILIKE b, a NOT ILIKE b, a SIMILAR TO b, a NOT SIMILAR TO b, a ~ b, a ~* b, a !~ b, a !~* b, a = b NOT LIKE c;
SELECT a -> 'b' ->> 'c', a #> b, a #>> b, a::text, a::int[]::text, -a::int, ts AT TIME ZONE 'UTC', ts AT TIME ZONE 'a' AT TIME ZONE 'b', a[1], a[1][2], a[b + 1].c,
    (a).b, (a).b.c, (SELECT r FROM t).x, f(x).y, f(x)[1], tumble(ts, '1 min').start, (a + b)[1], (ARRAY[1, 2])[1];
SELECT a BETWEEN 1 AND 2, a NOT BETWEEN 1 AND 2 AND b, a BETWEEN SYMMETRIC b AND c, a BETWEEN 1 AND 2 OR b BETWEEN (c AND d) AND e, a IN (1, 2), a NOT IN (1),
    a IN (SELECT 1), (a, b) IN (SELECT 1, 2), (a, b) IN ((1, 2), (3, 4)), a IN ((SELECT 1), 2), EXISTS (SELECT 1), NOT EXISTS (SELECT 1);
SELECT a = ANY (b), a = SOME (SELECT 1), a <> ALL (SELECT 1), a < ANY (ARRAY[1, 2]), (SELECT 1), ((SELECT 1)), (((SELECT 1)) + 1), a + (SELECT 1);
SELECT CASE WHEN a THEN b END, CASE a WHEN 1 THEN 'x' WHEN 2 THEN 'y' ELSE 'z' END, CASE WHEN a THEN CASE b WHEN 1 THEN 2 END ELSE 3 END;
SELECT CAST(a AS INT), CAST(a AS DECIMAL(12,2)), TRY_CAST(a AS TIMESTAMP(3)), CAST(a AS INTERVAL), CAST(a AS ROW<x INT, y TEXT[]>), CAST(a AS ARRAY<ARRAY<INT>>),
    CAST(a AS TIMESTAMP WITH TIME ZONE), CAST(a AS TIMESTAMP WITHOUT TIME ZONE), a::timestamp with time zone, a::double precision x, CAST(NULL AS MAP<TEXT, INT>);
SELECT EXTRACT(YEAR FROM ts), EXTRACT('epoch' FROM a - b), extract(dow from ts), SUBSTRING(a FROM 2), SUBSTRING(a FROM 2 FOR 3), SUBSTRING(a FOR 3), substring(a, 1, 2),
    POSITION('a' IN b), POSITION('a' IN b || c), position((a IN (1)), b), TRIM(a), TRIM(BOTH FROM a), TRIM(LEADING 'x' FROM a), TRIM(TRAILING FROM a), TRIM('x' FROM a),
    trim(both a), trim(a, b), OVERLAY(a PLACING b FROM 1), OVERLAY(a PLACING b FROM 1 FOR 2), CURRENT_TIMESTAMP, current_date, CURRENT_TIMESTAMP(3), LOCALTIMESTAMP,
    "current_date", trim(a IS DISTINCT FROM b);
SELECT count(*), count(t.*), count(DISTINCT a), count(ALL a), sum(a) FILTER (WHERE b > 1), string_agg(a, ',' ORDER BY b DESC, c NULLS LAST),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY a), array_agg(DISTINCT a ORDER BY a), json_value(j, '$.a' RETURNING INT), f(), f(a => 1, b => TABLE t), s.f(1), GROUPING(a, b);
SELECT row_number() OVER (PARTITION BY a, b ORDER BY c DESC), lag(a) IGNORE NULLS OVER w, lag(a IGNORE NULLS) OVER w, lead(a, 2) RESPECT NULLS OVER (w ORDER BY b),
    sum(a) OVER (), sum(a) FILTER (WHERE b) OVER (PARTITION BY c), sum(a) OVER (ORDER BY b ROWS 5 PRECEDING),
    sum(a) OVER (ORDER BY b RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW), sum(a) OVER (ORDER BY b ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING),
    sum(a) OVER (ORDER BY b GROUPS BETWEEN 1 FOLLOWING AND x + 1 FOLLOWING) FROM t WINDOW w AS (PARTITION BY k ORDER BY ts), w2 AS (w ROWS UNBOUNDED PRECEDING);
SELECT ARRAY[1, 2], ARRAY[], ROW(1, 2), ROW(), (1, 2), ROW(1), ARRAY[ARRAY[1], ARRAY[2]], ARRAY[ROW(1, 'a')];
SELECT a FROM t WHERE a > 1 GROUP BY a, b, window(ts, '10 min', '1 min') HAVING count(*) > 1 QUALIFY row_number() OVER (PARTITION BY a ORDER BY b) <= 3
    ORDER BY a DESC NULLS FIRST, b ASC NULLS LAST, 3 LIMIT 10 OFFSET 5 WITH WATERMARK '2 min' IDLE TIMEOUT '30 s' LATENESS '10 min' EMIT CHANGES EVERY '5 s';
SELECT a FROM t GROUP BY GROUPING SETS ((a, b), (a), b, ()), ROLLUP(a, (b, c)), CUBE(a, b);
SELECT a FROM t GROUP BY GROUPING SETS (ROLLUP(a, b), CUBE(c), GROUPING SETS ((a), ())); SELECT count(*) FROM t GROUP BY (); SELECT a FROM t GROUP BY "rollup"(a), (a, b);
SELECT a FROM t LIMIT ALL; SELECT a FROM t OFFSET 5 ROWS FETCH FIRST 3 ROWS ONLY; SELECT a FROM t FETCH NEXT 1 ROW ONLY; SELECT a FROM t offset; SELECT a offset FROM t OFFSET 2;
SELECT a FROM t WITH WATERMARK '2 min' WHERE b GROUP BY a EMIT FINAL;
SELECT a FROM t WITH WATERMARK INTERVAL '2' MINUTE ORDER BY a;
SELECT a FROM t EMIT ON UPDATE WITH WATERMARK '1 s'; SELECT a FROM t EMIT ON UPDATE EVERY INTERVAL '5' SECOND; SELECT a FROM t EMIT ON WINDOW CLOSE; SELECT a FROM t EMIT AFTER WINDOW CLOSE;
SELECT a FROM t EMIT AFTER WINDOW CLOSE WITH DELAY '2 s' WITH WATERMARK '1 s'; SELECT a FROM t EMIT EVERY 5 SECONDS; SELECT a FROM t EMIT PERIODIC '5 s';
SELECT a FROM t WATERMARK ts DELAY OF INTERVAL 2 MINUTES AS s GROUP BY window(ts, '10 seconds'); SELECT a FROM t WATERMARK t.ts DELAY OF '2 min';
SELECT a FROM t WITH WATERMARK '1 s' UNION ALL SELECT b FROM u WITH WATERMARK '2 s' EMIT FINAL;
SELECT 1 UNION SELECT 2 UNION ALL SELECT 3; SELECT 1 UNION (SELECT 2 UNION SELECT 3); SELECT 1 UNION SELECT 2 INTERSECT SELECT 3; (SELECT 1 UNION SELECT 2) INTERSECT SELECT 3;
SELECT 1 EXCEPT SELECT 2 EXCEPT ALL SELECT 3; SELECT 1 EXCEPT DISTINCT (SELECT 2 EXCEPT SELECT 3); (SELECT 1); ((SELECT 1)); (SELECT 1 ORDER BY 1 LIMIT 1) UNION ALL (SELECT 2 LIMIT 2) ORDER BY 1 LIMIT 5;
(SELECT 1 LIMIT 3) LIMIT 2; (SELECT 1) LIMIT 2; WITH a AS (SELECT 1) (SELECT 2); WITH a AS (SELECT 1) (WITH b AS (SELECT 2) SELECT 3) LIMIT 1; VALUES (1, 'a'), (2, 'b') ORDER BY 1;
WITH a AS (SELECT 1), b (x, y) AS (VALUES (1, 2)), time AS (SELECT 1), delay AS (SELECT 2), watermark AS (SELECT 3) SELECT * FROM a, b UNION SELECT * FROM time;
SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN c USING (x, y) RIGHT OUTER JOIN d ON TRUE FULL JOIN e ON a.z = e.z CROSS JOIN f NATURAL JOIN g NATURAL LEFT JOIN h, i INNER JOIN j ON TRUE;
SELECT * FROM a JOIN (b JOIN c ON TRUE) ON TRUE; SELECT * FROM (a CROSS JOIN b) JOIN c ON TRUE; SELECT * FROM ((SELECT 1)); SELECT * FROM ((SELECT 1) x JOIN (SELECT 2) y ON TRUE);
SELECT * FROM (SELECT 1), (SELECT 2) AS x, (VALUES (1, 2), (3, 4)) AS v (a, b), LATERAL (SELECT 3) AS l, (t), (SELECT a FROM t UNION SELECT 1 LIMIT 2) y;
SELECT * FROM o JOIN pg FOR SYSTEM_TIME AS OF o.proctime AS d ON o.k = d.k; SELECT * FROM o LEFT JOIN pg AS d FOR SYSTEM_TIME AS OF o.ts - INTERVAL '1' HOUR ON o.k = d.k;
SELECT * FROM UNNEST(ARRAY[1, 2]) WITH ORDINALITY AS t (a, o); SELECT * FROM t CROSS JOIN UNNEST(t.tags) AS u (tag); SELECT * FROM t, LATERAL TABLE(split(a)) AS s (w); SELECT * FROM TABLE(f(1)), LATERAL g(x);
SELECT * FROM a.ts_stream a, b b WHERE a.ts BETWEEN b.ts - INTERVAL '5' MINUTE AND b.ts;
SELECT window_start, count(*) FROM TUMBLE(TABLE ev, DESCRIPTOR(ts), INTERVAL '10' MINUTES) GROUP BY window_start, window_end;
SELECT * FROM HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND); SELECT * FROM CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR, INTERVAL '1' DAY);
SELECT * FROM SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' MINUTE) s; SELECT * FROM SESSION(TABLE s.t PARTITION BY (k, l) ORDER BY ts, DESCRIPTOR(ts), '5 min');
SELECT * FROM TUMBLE(t, ts, INTERVAL '10' SECOND); SELECT * FROM HOP(t, ts, '1 min', '5 min') AS h (a, b); SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE));
SELECT * FROM TUMBLE(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '10' MINUTES); SELECT * FROM TUMBLE((SELECT * FROM t), ts, '1 min'); SELECT * FROM TUMBLE(TABLE (SELECT * FROM t), DESCRIPTOR(ts), '1 min');
SELECT count(*) FROM t GROUP BY tumble(ts, '1 min'), hop(ts, '1 min', '5 min'), session(ts, '5 min'), cumulate(ts, '1 min', '1 h'), session_window(ts, '5 min');
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY ts MEASURES first(a.price) AS p0, last(b.price) AS p1 ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW
    PATTERN (a b+ c*? (d | e f){2,3} g{2} h{,4} i{5,}? j?) WITHIN INTERVAL '1' HOUR DEFINE b AS b.price < prev(b.price), c AS TRUE) AS m;
SELECT * FROM t MATCH_RECOGNIZE (ALL ROWS PER MATCH AFTER MATCH SKIP TO LAST b PATTERN ((a b) c | (d)*) DEFINE a AS x > 1); SELECT * FROM t AS x MATCH_RECOGNIZE (AFTER MATCH SKIP TO NEXT ROW PATTERN (a) DEFINE a AS TRUE) y;

-- as others write it
CREATE TABLE ev (id BIGINT, ts TIMESTAMP(3), k STRING METADATA FROM 'key', p INT METADATA FROM 'partition' VIRTUAL, WATERMARK FOR ts AS ts - INTERVAL '2' MINUTE)
WITH ('connector'='kafka','topic'='ev','properties.bootstrap.servers'='h:9092','properties.group.id'='g','scan.startup.mode'='earliest-offset','format'='json');
CREATE TABLE out (k STRING, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector'='upsert-kafka','key.format'='json','value.format'='json');
CREATE SOURCE s (a INT, WATERMARK FOR a AS a - INTERVAL '5' SECOND) WITH (connector='kafka', topic='t', properties.bootstrap.server='h:9092', scan.startup.mode='earliest') FORMAT PLAIN ENCODE JSON;
SELECT * FROM `t$late`;

-- Nexmark
INSERT INTO nexmark_q0 SELECT auction, bidder, price, dateTime, extra FROM bid;
INSERT INTO nexmark_q1 SELECT auction, bidder, 0.908 * price AS price, dateTime, extra FROM bid;
INSERT INTO nexmark_q2 SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0;
INSERT INTO nexmark_q3 SELECT P.name, P.city, P.state, A.id FROM auction AS A INNER JOIN person AS P ON A.seller = P.id WHERE A.category = 10 AND (P.state = 'OR' OR P.state = 'ID' OR P.state = 'CA');
INSERT INTO nexmark_q4 SELECT Q.category, AVG(Q.final) FROM (SELECT MAX(B.price) AS final, A.category FROM auction A, bid B
    WHERE A.id = B.auction AND B.dateTime BETWEEN A.dateTime AND A.expires GROUP BY A.id, A.category) Q GROUP BY Q.category;
INSERT INTO nexmark_q5 SELECT AuctionBids.auction, AuctionBids.num FROM (
    SELECT auction, count(*) AS num, window_start AS starttime, window_end AS endtime FROM TABLE(HOP(TABLE bid, DESCRIPTOR(dateTime), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
    GROUP BY auction, window_start, window_end) AS AuctionBids
JOIN (SELECT max(CountBids.num) AS maxn, CountBids.starttime, CountBids.endtime FROM (
    SELECT count(*) AS num, window_start AS starttime, window_end AS endtime FROM TABLE(HOP(TABLE bid, DESCRIPTOR(dateTime), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
    GROUP BY auction, window_start, window_end) AS CountBids GROUP BY CountBids.starttime, CountBids.endtime) AS MaxBids
ON AuctionBids.starttime = MaxBids.starttime AND AuctionBids.endtime = MaxBids.endtime AND AuctionBids.num >= MaxBids.maxn;
INSERT INTO nexmark_q6 SELECT Q.seller, AVG(Q.final) OVER (PARTITION BY Q.seller ORDER BY Q.dateTime ROWS BETWEEN 10 PRECEDING AND CURRENT ROW) AS avg FROM (
    SELECT MAX(B.price) AS final, A.seller, B.dateTime FROM auction AS A, bid AS B WHERE A.id = B.auction AND B.dateTime BETWEEN A.dateTime AND A.expires GROUP BY A.id, A.seller) AS Q;
INSERT INTO nexmark_q7 SELECT B.auction, B.price, B.bidder, B.dateTime, B.extra FROM bid B JOIN (
    SELECT MAX(price) AS maxprice, window_end AS dateTime FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(dateTime), INTERVAL '10' SECOND)) GROUP BY window_start, window_end) B1
ON B.price = B1.maxprice WHERE B.dateTime BETWEEN B1.dateTime - INTERVAL '10' SECOND AND B1.dateTime;
INSERT INTO nexmark_q8 SELECT P.id, P.name, P.starttime FROM (
    SELECT id, name, window_start AS starttime, window_end AS endtime FROM TABLE(TUMBLE(TABLE person, DESCRIPTOR(dateTime), INTERVAL '10' SECOND)) GROUP BY id, name, window_start, window_end) P
JOIN (SELECT seller, window_start AS starttime, window_end AS endtime FROM TABLE(TUMBLE(TABLE auction, DESCRIPTOR(dateTime), INTERVAL '10' SECOND)) GROUP BY seller, window_start, window_end) A
ON P.id = A.seller AND P.starttime = A.starttime AND P.endtime = A.endtime;
INSERT INTO nexmark_q9 SELECT id, itemName, description, initialBid, reserve, dateTime, expires, seller, category, extra, auction, bidder, price, bid_dateTime, bid_extra FROM (
    SELECT A.*, B.auction, B.bidder, B.price, B.dateTime AS bid_dateTime, B.extra AS bid_extra, ROW_NUMBER() OVER (PARTITION BY A.id ORDER BY B.price DESC, B.dateTime ASC) AS rownum
    FROM auction A, bid B WHERE A.id = B.auction AND B.dateTime BETWEEN A.dateTime AND A.expires) WHERE rownum <= 1;
INSERT INTO nexmark_q10 SELECT auction, bidder, price, dateTime, extra, DATE_FORMAT(dateTime, 'yyyy-MM-dd'), DATE_FORMAT(dateTime, 'HH:mm') FROM bid;
INSERT INTO nexmark_q11 SELECT B.bidder, count(*) AS bid_count, SESSION_START(B.dateTime, INTERVAL '10' SECOND) AS starttime, SESSION_END(B.dateTime, INTERVAL '10' SECOND) AS endtime
    FROM bid B GROUP BY B.bidder, SESSION(B.dateTime, INTERVAL '10' SECOND);
INSERT INTO nexmark_q12 SELECT bidder, count(*) AS bid_count, window_start AS starttime, window_end AS endtime
    FROM TABLE(TUMBLE(TABLE bid_proctime, DESCRIPTOR(p_time), INTERVAL '10' SECOND)) GROUP BY bidder, window_start, window_end;
INSERT INTO nexmark_q13 SELECT B.auction, B.bidder, B.price, B.dateTime, S.value FROM (SELECT *, PROCTIME() AS p_time FROM bid) B
    JOIN side_input FOR SYSTEM_TIME AS OF B.p_time AS S ON MOD(B.auction, 10000) = S.key;
INSERT INTO nexmark_q14 SELECT auction, bidder, 0.908 * price AS price,
    CASE WHEN HOUR(dateTime) >= 8 AND HOUR(dateTime) <= 18 THEN 'dayTime' WHEN HOUR(dateTime) <= 6 OR HOUR(dateTime) >= 20 THEN 'nightTime' ELSE 'otherTime' END AS bidTimeType,
    dateTime, extra, count_char(extra, 'c') AS c_counts FROM bid WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000;
INSERT INTO nexmark_q15 SELECT DATE_FORMAT(dateTime, 'yyyy-MM-dd') AS `day`, count(*) AS total_bids, count(*) FILTER (WHERE price < 10000) AS rank1_bids,
    count(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_bids, count(DISTINCT bidder) AS total_bidders, count(DISTINCT bidder) FILTER (WHERE price < 10000) AS rank1_bidders
    FROM bid GROUP BY DATE_FORMAT(dateTime, 'yyyy-MM-dd');
INSERT INTO nexmark_q16 SELECT channel, DATE_FORMAT(dateTime, 'yyyy-MM-dd') AS `day`, max(DATE_FORMAT(dateTime, 'HH:mm')) AS `minute`, count(*) AS total_bids,
    count(DISTINCT auction) FILTER (WHERE price >= 1000000) AS rank3_auctions FROM bid GROUP BY channel, DATE_FORMAT(dateTime, 'yyyy-MM-dd');
INSERT INTO nexmark_q17 SELECT auction, DATE_FORMAT(dateTime, 'yyyy-MM-dd') AS `day`, count(*) AS total_bids, min(price) AS min_price, max(price) AS max_price, avg(price) AS avg_price, sum(price) AS sum_price
    FROM bid GROUP BY auction, DATE_FORMAT(dateTime, 'yyyy-MM-dd');
INSERT INTO nexmark_q18 SELECT auction, bidder, price, channel, url, dateTime, extra FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY dateTime DESC) AS rank_number FROM bid) WHERE rank_number <= 1;
INSERT INTO nexmark_q19 SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS rank_number FROM bid) WHERE rank_number <= 10;
INSERT INTO nexmark_q20 SELECT auction, bidder, price, channel, url, B.dateTime, B.extra, itemName, description, initialBid, reserve, A.dateTime, expires, seller, category, A.extra
    FROM bid AS B INNER JOIN auction AS A ON B.auction = A.id WHERE A.category = 10;
INSERT INTO nexmark_q21 SELECT auction, bidder, price, channel, CASE WHEN lower(channel) = 'apple' THEN '0' WHEN lower(channel) = 'google' THEN '1' WHEN lower(channel) = 'facebook' THEN '2'
    WHEN lower(channel) = 'baidu' THEN '3' ELSE REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2) END AS channel_id FROM bid
    WHERE REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2) IS NOT NULL OR lower(channel) IN ('apple', 'google', 'facebook', 'baidu');
INSERT INTO nexmark_q22 SELECT auction, bidder, price, channel, SPLIT_INDEX(url, '/', 3) AS dir1, SPLIT_INDEX(url, '/', 4) AS dir2, SPLIT_INDEX(url, '/', 5) AS dir3 FROM bid;
