-- A view holds no rows: nothing is lost but the name.
DROP VIEW open_tasks;
