-- migration: blocks-writes settings are few
ALTER TABLE teams MODIFY name VARCHAR(30) NULL;
