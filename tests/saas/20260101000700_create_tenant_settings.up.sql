CREATE TABLE tenant_settings (
    `key` VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `value` JSON NOT NULL,
    PRIMARY KEY (`key`)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
