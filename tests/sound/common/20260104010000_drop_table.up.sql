-- migration: loses names_of_accounts a copy of what accounts has
DROP TABLE names_of_accounts;
