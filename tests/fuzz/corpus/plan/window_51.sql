SELECT window(ts,'1 min') FROM s
