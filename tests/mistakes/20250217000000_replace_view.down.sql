DROP VIEW v_posts;
