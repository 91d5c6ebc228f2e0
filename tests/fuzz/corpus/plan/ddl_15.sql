CREATE SOURCE a (x TIMESTAMP, WATERMARK FOR x AS x + INTERVAL '1' MINUTE) WITH (connector='kafka', brokers='b', topic='t')
