ALTER TABLE articles ADD UNIQUE KEY posts_author_slug (author_id, slug);
