CREATE SOURCE a (x INT) WITH (connector='kafka', brokers='${', topic='t')
