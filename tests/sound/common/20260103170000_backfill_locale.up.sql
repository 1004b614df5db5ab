ALTER TABLE accounts ADD COLUMN region CHAR(2) NULL;
UPDATE accounts SET region = 'EU' WHERE region IS NULL;
