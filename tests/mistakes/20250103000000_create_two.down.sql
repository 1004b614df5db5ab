DROP TABLE tags;
DROP TABLE order_tags;
