CREATE SOURCE a (x TEXT METADATA FROM 'offset') WITH (connector='kafka', brokers='b', topic='t')
