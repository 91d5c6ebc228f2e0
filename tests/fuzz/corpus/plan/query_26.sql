SELECT * FROM "s$late" WHERE n > 3
