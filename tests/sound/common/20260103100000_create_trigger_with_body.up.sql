CREATE TRIGGER accounts_changed AFTER UPDATE ON accounts FOR EACH ROW
BEGIN
    IF NOT (NEW.email <=> OLD.email) THEN
        INSERT INTO audit_log (action, at) VALUES (CONCAT('email of ', NEW.id, '; changed'), NOW(3));
    ELSE
        INSERT INTO audit_log (action, at) VALUES ('account', NOW(3));
    END IF;
END;
