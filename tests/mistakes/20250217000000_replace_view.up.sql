CREATE VIEW v_posts AS SELECT * FROM posts;
