RENAME TABLE articles TO posts;
