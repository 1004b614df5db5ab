-- migration: loses accounts replaced by tenants
DROP TABLE accounts;
