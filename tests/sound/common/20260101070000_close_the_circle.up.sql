-- migration: blocks-writes nobody has more than a few teams
ALTER TABLE teams ADD CONSTRAINT fk_teams_lead FOREIGN KEY (lead_id) REFERENCES people (id) ON DELETE SET NULL;
