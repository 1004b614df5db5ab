-- migration: blocks-writes done at night
ALTER TABLE measurements MODIFY amount DECIMAL(24, 8) NOT NULL;
