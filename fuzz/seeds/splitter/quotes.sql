INSERT INTO t VALUES ('a;b', "c;""d", 'e\';', `f``;`); -- a comment; with 'one quote
/*!50003 SELECT ';' */; # another
SELECT 1--1 /* ; */, x'4D';
