ALTER TABLE nodes DROP CONSTRAINT ck_nodes_depth;
