ALTER TABLE invoice_lines DROP INDEX ft_lines_text;
