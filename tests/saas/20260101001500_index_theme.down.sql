DROP INDEX idx_users_theme ON users;
