CREATE TABLE copy_of_settings AS SELECT name, value FROM settings;
UPDATE settings SET value = UPPER(value) WHERE name = 'theme';
