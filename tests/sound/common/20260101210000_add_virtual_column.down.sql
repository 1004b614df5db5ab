ALTER TABLE people DROP COLUMN team_doubled;
