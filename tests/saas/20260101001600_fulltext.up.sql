ALTER TABLE invoice_lines ADD FULLTEXT INDEX ft_lines_text (text);
