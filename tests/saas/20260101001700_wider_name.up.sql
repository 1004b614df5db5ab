-- migration: blocks-writes the tables of customers are small
ALTER TABLE customers MODIFY `name` VARCHAR(400) NOT NULL COMMENT 'shown; not unique -- really';
