DROP TABLE people;
DROP TABLE teams;
