DROP PROCEDURE close_month;
