CREATE TABLE `customers` (
  `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `name` VARCHAR(200) NOT NULL COMMENT 'shown; not unique -- really',
  `vat_id` VARCHAR(20) NULL,
  `locale` ENUM('de','en','fr') NOT NULL DEFAULT 'en',
  `owner_id` BIGINT UNSIGNED NULL,
  KEY `idx_customers_owner` (`owner_id`),
  CONSTRAINT `fk_customers_owner` FOREIGN KEY (`owner_id`) REFERENCES `users` (`id`) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
