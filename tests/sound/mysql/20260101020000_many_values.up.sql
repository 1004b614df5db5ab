-- migration: blocks-writes things are few
ALTER TABLE things ADD INDEX idx_things_list ((CAST(extra->'$.list' AS CHAR(20) ARRAY)));
