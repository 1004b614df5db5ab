-- migration: blocks-writes no project has many nodes
ALTER TABLE nodes MODIFY depth SMALLINT UNSIGNED NOT NULL;
