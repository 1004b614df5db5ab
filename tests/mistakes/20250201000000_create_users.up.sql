CREATE TABLE users (
    id          CHAR(36) NOT NULL COMMENT 'uuid',
    tenant_ref  INT UNSIGNED NOT NULL,
    email       VARCHAR(191) COLLATE utf8mb4_unicode_ci NOT NULL,
    settings    JSON DEFAULT NULL,
    active      TINYINT(1) NOT NULL DEFAULT '1',
    balance     DECIMAL(13,4) NOT NULL DEFAULT '0.0000',
    last_login  DATETIME(3) NULL DEFAULT NULL,
    PRIMARY KEY (`id`),
    UNIQUE KEY `users_email_unique` (`email`),
    KEY `users_tenant` (`tenant_ref`,`active`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci ROW_FORMAT=DYNAMIC COMMENT='people';
