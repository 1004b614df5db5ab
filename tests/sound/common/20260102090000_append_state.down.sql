ALTER TABLE projects MODIFY state ENUM('open', 'closed') NOT NULL DEFAULT 'open';
