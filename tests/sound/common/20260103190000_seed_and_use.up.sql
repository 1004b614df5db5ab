CREATE TABLE colours (id INT NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL);
INSERT INTO colours (id, name) VALUES (101, 'red'), (102, 'blue');
ALTER TABLE tags ADD COLUMN colour_id INT NULL;
