-- migration: blocks-writes settings are few
ALTER TABLE settings ADD COLUMN scope SMALLINT NOT NULL DEFAULT 0, DROP PRIMARY KEY, ADD PRIMARY KEY (name, scope);
