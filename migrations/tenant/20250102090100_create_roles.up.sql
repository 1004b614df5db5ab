-- What people may be in this tenant. The ids are given, not counted: the seed that follows can then be undone and
-- done again without a trace.
CREATE TABLE roles (
    id          SMALLINT UNSIGNED NOT NULL,
    name        VARCHAR(50) NOT NULL,
    description VARCHAR(255) NOT NULL DEFAULT '',
    PRIMARY KEY (id),
    CONSTRAINT uq_roles_name UNIQUE KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
