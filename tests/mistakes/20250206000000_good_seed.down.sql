DELETE FROM post_kinds WHERE id IN (1, 2);
