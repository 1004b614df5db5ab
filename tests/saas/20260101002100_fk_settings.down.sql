ALTER TABLE tenant_settings DROP FOREIGN KEY fk_settings_user, DROP INDEX fk_settings_user;
