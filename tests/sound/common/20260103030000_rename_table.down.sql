ALTER TABLE names_of_accounts RENAME TO account_names;
