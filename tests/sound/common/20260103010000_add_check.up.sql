-- migration: blocks-writes accounts are few
ALTER TABLE accounts ADD CONSTRAINT ck_accounts_email CHECK (CHAR_LENGTH(email) < 191);
