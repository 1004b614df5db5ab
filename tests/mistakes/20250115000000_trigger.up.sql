CREATE TRIGGER orders_bu BEFORE UPDATE ON orders FOR EACH ROW BEGIN
  IF NEW.status <> OLD.status THEN
    SET NEW.paid_at = NOW();
  END IF;
END;
