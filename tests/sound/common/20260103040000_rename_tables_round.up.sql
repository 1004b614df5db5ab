RENAME TABLE accounts_archive TO old_accounts;
