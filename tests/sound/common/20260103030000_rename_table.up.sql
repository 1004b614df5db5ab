ALTER TABLE account_names RENAME TO names_of_accounts;
