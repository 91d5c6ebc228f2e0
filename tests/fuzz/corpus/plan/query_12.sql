SELECT upper(k) || 'x', count(*) FROM s GROUP BY upper(k)
