CREATE SOURCE a (x INT) WITH (brokers='b', topic='t')
