-- migration: blocks-writes projects are few
ALTER TABLE projects MODIFY title VARCHAR(60) CHARACTER SET utf8mb4 NULL;
