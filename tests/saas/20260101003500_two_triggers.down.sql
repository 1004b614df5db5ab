DROP TRIGGER customers_bu;
DROP TRIGGER customers_bi;
