SELECT y FROM (SELECT b AS y, a FROM f) x WHERE y = 'q'
