CREATE TABLE accounts_archive LIKE accounts;
