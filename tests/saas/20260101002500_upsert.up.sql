INSERT INTO tenant_settings (`key`, `value`) VALUES ('billing.terms', '{"days": 30}') ON DUPLICATE KEY UPDATE `value` = VALUES(`value`);
