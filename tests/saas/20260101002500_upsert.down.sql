UPDATE tenant_settings SET `value` = '{"days": 14}' WHERE `key` = 'billing.terms';
