CREATE SOURCE b (k INT) WITH (connector='file', path='t', on_error='dlq', dlq_topic='x')
