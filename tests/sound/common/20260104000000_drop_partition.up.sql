-- migration: loses measurements the oldest are not needed
ALTER TABLE measurements DROP PARTITION p2020;
