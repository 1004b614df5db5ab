CREATE TABLE roles LIKE tenant_settings;
