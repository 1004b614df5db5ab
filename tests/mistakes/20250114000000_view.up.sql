CREATE OR REPLACE ALGORITHM=MERGE VIEW paid_orders AS SELECT o.id, o.total AS amount FROM orders o WHERE o.paid_at IS NOT NULL;
