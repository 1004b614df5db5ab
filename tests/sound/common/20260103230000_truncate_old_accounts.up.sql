-- migration: loses old_accounts they are in the backup
TRUNCATE TABLE old_accounts;
