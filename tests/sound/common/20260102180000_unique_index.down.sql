DROP INDEX uq_tags_title ON tags;
