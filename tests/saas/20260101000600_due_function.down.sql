DROP FUNCTION days_overdue;
