ALTER TABLE articles DROP INDEX posts_author_slug;
