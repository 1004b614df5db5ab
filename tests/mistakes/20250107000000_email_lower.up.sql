UPDATE accounts SET email = LOWER(email) WHERE id > 0;
