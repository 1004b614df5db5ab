ALTER TABLE users DROP CONSTRAINT users_balance_ck;
