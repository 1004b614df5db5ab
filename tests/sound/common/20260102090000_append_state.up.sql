ALTER TABLE projects MODIFY state ENUM('open', 'closed', 'archived') NOT NULL DEFAULT 'open';
