DELETE FROM settings WHERE name IN ('theme', 'it''s; on');
