CREATE TABLE account_names (PRIMARY KEY (id)) AS SELECT id, name FROM accounts;
