CREATE TABLE things (id UUID NOT NULL PRIMARY KEY, address INET6 NULL, old_address INET4 NULL, a INT NULL, KEY idx_things_a (a));
