INSERT INTO tenant_settings (`key`, `value`) VALUES
    ('billing.currency', '"EUR"'),
    ('billing.terms', '{"days": 14, "text": "payable; net"}'),
    ('ui.theme', JSON_OBJECT('dark', FALSE));
