SELECT * FROM s WHERE ts > 'yesterdayish'
