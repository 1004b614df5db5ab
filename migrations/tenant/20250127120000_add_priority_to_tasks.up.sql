-- How urgent a task is: 1 is the most, 5 the least, 3 what nobody thought about.
--
-- Last column with a constant default: both servers change only the table's description (ALGORITHM=INSTANT), whatever
-- number of rows there is. A CHECK on the range in the same statement would make MySQL copy the table.
ALTER TABLE tasks ADD COLUMN priority TINYINT UNSIGNED NOT NULL DEFAULT 3;
