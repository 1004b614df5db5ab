-- migration: blocks-writes things are few
ALTER TABLE things ADD INDEX idx_things_sum ((a + 1));
