UPDATE posts SET kind_id = NULL WHERE kind_id = 1;
