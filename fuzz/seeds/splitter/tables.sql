-- One row a tenant: who it is, where its database is, and how to log in there.
--
-- Ids, slugs and database names are compared byte by byte (utf8mb4_bin): ids are CUIDs or UUIDs, which carry meaning in
-- their letter case, and database names are case-sensitive on Linux. Host names are not, hence the table's collation.
-- Both collations exist on every MySQL from 5.7 and every MariaDB; MySQL's own default (utf8mb4_0900_ai_ci) does not.
--
-- `db_password` is sealed, never plain: hex(iv):hex(ciphertext), AES-256-CBC under DB_ENCRYPTION_KEY.
CREATE TABLE tenants (
    id          VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    slug        VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    name        VARCHAR(255) NOT NULL,
    db_host     VARCHAR(255) NOT NULL,
    db_port     SMALLINT UNSIGNED NOT NULL DEFAULT 3306,
    db_name     VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    db_user     VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    db_password VARCHAR(1024) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status      ENUM('PROVISIONING', 'ACTIVE', 'SUSPENDED', 'FAILED', 'ARCHIVED') NOT NULL DEFAULT 'PROVISIONING',
    -- TIMESTAMP is stored in UTC whatever the session's time zone is; DATETIME would mix the zones of its writers.
    created_at  TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at  TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    CONSTRAINT uq_tenants_slug UNIQUE KEY (slug),
    -- Two tenants on one database would see each other's data.
    CONSTRAINT uq_tenants_database UNIQUE KEY (db_host, db_port, db_name),
    INDEX idx_tenants_status (status)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
