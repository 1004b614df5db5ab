ALTER TABLE tenant_settings DROP COLUMN updated_at, DROP COLUMN updated_by;
