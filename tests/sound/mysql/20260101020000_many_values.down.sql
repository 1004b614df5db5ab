ALTER TABLE things DROP INDEX idx_things_tags;
