-- migration: blocks-writes things are few
ALTER TABLE things ADD INDEX idx_things_tags ((CAST(extra->'$.tags' AS CHAR(20) ARRAY)));
