-- migration: loses accounts.nickname nobody used it
ALTER TABLE accounts DROP COLUMN nickname;
