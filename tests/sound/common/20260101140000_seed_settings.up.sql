INSERT INTO settings (name, value) VALUES ('theme', 'dark'), ('it''s; on', 'yes -- really');
