ALTER TABLE posts ADD INDEX posts_created (published_at), ALGORITHM=INPLACE, LOCK=NONE;
