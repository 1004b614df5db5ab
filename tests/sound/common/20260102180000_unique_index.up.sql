CREATE UNIQUE INDEX uq_tags_title ON tags (title);
