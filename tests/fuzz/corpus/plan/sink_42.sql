SELECT sum(sum(n)) FROM s
