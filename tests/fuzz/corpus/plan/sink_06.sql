CREATE SINK p2 WITH (connector='postgres', url='u', table='t'); INSERT INTO p2 SELECT k, count(*) AS c FROM s GROUP BY k
