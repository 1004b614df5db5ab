DROP TABLE keyed;
