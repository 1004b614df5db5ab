UPDATE posts SET kind_id = 1 WHERE kind_id IS NULL AND published = 1;
