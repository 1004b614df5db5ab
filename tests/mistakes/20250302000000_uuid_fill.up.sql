UPDATE users SET id = UUID() WHERE id = '' OR id IS NULL;
