ALTER TABLE posts DROP INDEX posts_created;
