DROP VIEW IF EXISTS paid_orders;
