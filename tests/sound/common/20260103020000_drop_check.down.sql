ALTER TABLE nodes ADD CONSTRAINT ck_nodes_depth CHECK (depth < 100);
