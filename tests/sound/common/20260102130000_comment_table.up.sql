ALTER TABLE tags COMMENT = 'words; for projects';
