CREATE VIEW open_projects AS SELECT p.id, p.name, a.email FROM projects p JOIN accounts a ON a.id = p.account_id WHERE p.state = 'open';
