CREATE PROCEDURE close_month(IN p_month DATE)
    MODIFIES SQL DATA
BEGIN
    DECLARE done INT DEFAULT FALSE;
    DECLARE v_id BIGINT UNSIGNED;
    DECLARE invoices_cursor CURSOR FOR SELECT id FROM invoices WHERE status = 'draft' AND issued_on < p_month;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = TRUE;
    OPEN invoices_cursor;
    read_loop: LOOP
        FETCH invoices_cursor INTO v_id;
        IF done THEN
            LEAVE read_loop;
        END IF;
        CASE WHEN v_id > 0 THEN UPDATE invoices SET status = 'open' WHERE id = v_id; ELSE BEGIN END; END CASE;
    END LOOP read_loop;
    CLOSE invoices_cursor;
END;
