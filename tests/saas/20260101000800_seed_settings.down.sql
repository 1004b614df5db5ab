DELETE FROM tenant_settings WHERE `key` IN ('billing.currency', 'billing.terms', 'ui.theme');
