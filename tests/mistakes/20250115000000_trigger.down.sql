DROP TRIGGER orders_bu;
