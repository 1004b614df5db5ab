//! Migrations with one of everything that a server keeps a definition of.

use end_to_end::Fleet;

/// Versions, oldest first.
pub(crate) const VERSIONS: [&str; 5] =
    ["20260101000000", "20260102000000", "20260103000000", "20260104000000", "20260105000000"];

const FILES: [(&str, &str, &str); 5] = [
    (
        "20260101000000_create_orders",
        "-- Ein Kommentar; mit Semikolon, \u{e4}\u{f6}\u{fc} und 'Anf\u{fc}hrung\n\
         CREATE TABLE orders (\n    id BIGINT AUTO_INCREMENT PRIMARY KEY,\n    note VARCHAR(50) NOT NULL DEFAULT 'a;b',\n    \
         total DECIMAL(10, 2) NOT NULL DEFAULT 0 CHECK (total >= 0)\n) COMMENT 'was da ist; und was nicht';\n\
         CREATE TABLE items (\n    id INT PRIMARY KEY,\n    order_id BIGINT NOT NULL,\n    \
         CONSTRAINT fk_items_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE\n);\n",
        "DROP TABLE items;\nDROP TABLE orders;\n",
    ),
    (
        "20260102000000_first_orders",
        "INSERT INTO orders (note) VALUES ('one'), ('two');\nUPDATE orders SET total = 5 WHERE note = 'two';\n",
        "DELETE FROM orders;\n",
    ),
    (
        "20260103000000_bodies",
        // `||` means something else under another sql_mode; a body of one statement, and one of several.
        "CREATE TRIGGER orders_note BEFORE INSERT ON orders FOR EACH ROW SET NEW.note = NEW.note || '!';\n\
         CREATE TRIGGER items_seen AFTER INSERT ON items FOR EACH ROW\nBEGIN\n    \
         UPDATE orders SET total = total + 1 WHERE id = NEW.order_id;\n    \
         IF NEW.id > 100 THEN\n        SET @many = CASE WHEN @many IS NULL THEN 1 ELSE @many + 1 END;\n    END IF;\nEND;\n\
         CREATE PROCEDURE add_order(IN words VARCHAR(50))\nBEGIN\n    DECLARE n INT DEFAULT 0;\n    \
         WHILE n < 2 DO\n        INSERT INTO orders (note) VALUES (words);\n        SET n = n + 1;\n    END WHILE;\nEND;\n\
         CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2;\n\
         CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO DELETE FROM items;\n",
        "DROP EVENT tidy;\nDROP FUNCTION twice;\nDROP PROCEDURE add_order;\nDROP TRIGGER items_seen;\n\
         DROP TRIGGER orders_note;\n",
    ),
    (
        "20260104000000_view",
        "CREATE VIEW big_orders AS SELECT id, note || '?' AS asked FROM orders WHERE total > 100;\n",
        "DROP VIEW big_orders;\n",
    ),
    (
        "20260105000000_mixed",
        "ALTER TABLE orders ADD COLUMN paid TINYINT(1) NOT NULL DEFAULT 0;\nUPDATE orders SET paid = 1;\n\
         CREATE INDEX idx_orders_paid ON orders (paid);\nINSERT INTO orders (note) VALUES ('three');\n",
        "DELETE FROM orders WHERE note = 'three!';\nDROP INDEX idx_orders_paid ON orders;\n\
         ALTER TABLE orders DROP COLUMN paid;\n",
    ),
];

/// Writes them all.
pub(crate) fn write(fleet: &Fleet) {
    for (name, up, down) in FILES {
        fleet.write(&format!("{name}.up.sql"), up);
        fleet.write(&format!("{name}.down.sql"), down);
    }
}

/// Five statements, of which the third fails.
pub(crate) const FAILS_AT_3_OF_5: &str = "\
CREATE TABLE first (id INT PRIMARY KEY);
CREATE TABLE second (id INT PRIMARY KEY);

ALTER TABLE nosuch
    ADD COLUMN x INT;
CREATE TABLE fourth (id INT PRIMARY KEY);
INSERT INTO fourth VALUES (4);
";

/// The same, mended.
pub(crate) fn mended() -> String {
    FAILS_AT_3_OF_5.replace("nosuch", "second")
}
