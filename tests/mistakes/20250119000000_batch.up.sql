DROP PROCEDURE IF EXISTS fill_batches;
CREATE PROCEDURE fill_batches()
BEGIN
  REPEAT
    UPDATE orders SET status = 'old' WHERE status = 'new' AND paid_at < '2020-01-01' LIMIT 1000;
  UNTIL ROW_COUNT() = 0 END REPEAT;
END;
CALL fill_batches();
DROP PROCEDURE fill_batches;
