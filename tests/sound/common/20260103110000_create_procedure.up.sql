CREATE PROCEDURE close_projects(IN before_id BIGINT)
BEGIN
    DECLARE n INT DEFAULT 0;
    WHILE n < 2 DO
        UPDATE projects SET state = 'closed' WHERE id < before_id;
        SET n = n + 1;
    END WHILE;
END;
