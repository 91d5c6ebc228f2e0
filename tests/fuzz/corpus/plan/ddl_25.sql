CREATE SOURCE a (x INT) WITH (connector='kafka', brokers='b', topic='t'); CREATE OR REPLACE SOURCE a (x INT, y INT) WITH (connector='kafka', brokers='b', topic='t'); SELECT * FROM a
