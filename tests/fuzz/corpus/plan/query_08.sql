SELECT 1, 'a', now()
