DROP TABLE squeezed;
