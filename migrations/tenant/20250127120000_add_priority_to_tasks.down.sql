-- The priorities that people gave are lost; the tasks stay.
ALTER TABLE tasks DROP COLUMN priority;
