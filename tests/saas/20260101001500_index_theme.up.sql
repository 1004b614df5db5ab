CREATE INDEX idx_users_theme ON users (theme) ALGORITHM=INPLACE LOCK=NONE;
