ALTER TABLE customers MODIFY `name` VARCHAR(200) NOT NULL COMMENT 'shown; not unique -- really';
