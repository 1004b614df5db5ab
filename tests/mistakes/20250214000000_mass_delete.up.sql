DELETE p FROM posts p LEFT JOIN users u ON u.id = p.author_id WHERE u.id IS NULL;
