-- The roles that were added since the seed go with the table.
DROP TABLE roles;
