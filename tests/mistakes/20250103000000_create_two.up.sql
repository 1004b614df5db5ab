CREATE TABLE tags (
  id INT AUTO_INCREMENT PRIMARY KEY,
  label VARCHAR(50)
);
CREATE TABLE order_tags (order_id BIGINT UNSIGNED, tag_id INT, FOREIGN KEY (order_id) REFERENCES orders (id), FOREIGN KEY (tag_id) REFERENCES tags (id));
