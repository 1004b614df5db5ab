CREATE TABLE folders (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  parent_id BIGINT UNSIGNED NULL,
  name VARCHAR(100) NOT NULL,
  UNIQUE KEY uq_folders (parent_id, name),
  CONSTRAINT fk_folders_parent FOREIGN KEY (parent_id) REFERENCES folders (id)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
