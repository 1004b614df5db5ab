DROP TABLE versioned;
