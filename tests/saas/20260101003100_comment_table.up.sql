ALTER TABLE folders COMMENT = 'of documents';
