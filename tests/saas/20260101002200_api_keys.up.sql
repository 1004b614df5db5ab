CREATE TABLE api_keys (
  id BINARY(16) NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  hash VARBINARY(64) NOT NULL,
  scopes SET('read','write','admin') NOT NULL DEFAULT 'read',
  last_used_at TIMESTAMP NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uq_api_keys_hash (hash),
  KEY idx_api_keys_user (user_id),
  CONSTRAINT fk_api_keys_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
