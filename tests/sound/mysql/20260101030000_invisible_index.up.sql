ALTER TABLE things ADD INDEX idx_things_a (a) INVISIBLE;
