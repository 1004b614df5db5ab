CREATE TABLE nodes (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    parent_id INT NULL,
    name VARCHAR(40) NOT NULL,
    depth TINYINT UNSIGNED NOT NULL DEFAULT 0,
    CONSTRAINT fk_nodes_parent FOREIGN KEY (parent_id) REFERENCES nodes (id),
    CONSTRAINT ck_nodes_depth CHECK (depth < 100)
) CHARACTER SET utf8mb4;
