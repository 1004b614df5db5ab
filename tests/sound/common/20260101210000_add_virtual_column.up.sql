ALTER TABLE people ADD COLUMN team_doubled INT AS (team_id * 2) VIRTUAL;
