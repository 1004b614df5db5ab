ALTER TABLE folders COMMENT = '';
