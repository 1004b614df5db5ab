CREATE TRIGGER invoice_lines_after_insert AFTER INSERT ON invoice_lines FOR EACH ROW
BEGIN
    -- The total; of all lines.
    UPDATE invoices SET net = (SELECT COALESCE(SUM(quantity * unit_price), 0) FROM invoice_lines WHERE invoice_id = NEW.invoice_id)
    WHERE id = NEW.invoice_id;
END;
