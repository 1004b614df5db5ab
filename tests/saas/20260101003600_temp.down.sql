-- migration: irreversible void lines are of no use
-- migration: loses invoice_lines they belong to void invoices
DO 0;
