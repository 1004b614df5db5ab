DELETE FROM old_accounts;
