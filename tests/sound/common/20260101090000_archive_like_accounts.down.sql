DROP TABLE accounts_archive;
