ALTER TABLE teams DROP FOREIGN KEY fk_teams_lead;
ALTER TABLE teams DROP KEY fk_teams_lead;
