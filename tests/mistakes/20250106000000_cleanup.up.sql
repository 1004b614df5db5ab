DELETE FROM orders WHERE 1=1 AND status = 'void';
DELETE FROM order_tags WHERE TRUE;
