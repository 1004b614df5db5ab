-- Keeps task_history whoever changes a status: the application, a script or a person at a prompt.
--
-- No DELIMITER: it is a word of the mysql client, not of SQL. Where the server writes a binary log, its
-- log_bin_trust_function_creators must be on for an account without SUPER to create a trigger (error 1419 otherwise).
CREATE TRIGGER tasks_after_update AFTER UPDATE ON tasks FOR EACH ROW
BEGIN
    IF NEW.status <> OLD.status THEN
        INSERT INTO task_history (task_id, old_status, new_status) VALUES (NEW.id, OLD.status, NEW.status);
    END IF;
END;
