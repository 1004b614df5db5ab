ALTER TABLE tags DROP COLUMN colour_id;
DROP TABLE colours;
