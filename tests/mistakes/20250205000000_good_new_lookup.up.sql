CREATE TABLE post_kinds (
    id TINYINT UNSIGNED NOT NULL,
    name VARCHAR(30) NOT NULL,
    PRIMARY KEY (id), UNIQUE KEY post_kinds_name (name)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
