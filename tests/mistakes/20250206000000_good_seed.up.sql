INSERT INTO post_kinds (id, name) VALUES (1, 'news'), (2, 'help') ON DUPLICATE KEY UPDATE name = VALUES(name);
