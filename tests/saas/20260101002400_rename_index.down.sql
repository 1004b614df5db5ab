ALTER TABLE api_keys RENAME INDEX idx_api_keys_user_id TO idx_api_keys_user;
