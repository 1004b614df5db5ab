ALTER TABLE users ADD CONSTRAINT users_balance_ck CHECK (balance >= 0);
