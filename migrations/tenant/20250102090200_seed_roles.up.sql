-- The roles every tenant begins with. Rows only, so the file is one transaction: all of them or none.
INSERT INTO roles (id, name, description) VALUES
    (1, 'owner', 'Runs the tenant; one at least'),
    (2, 'admin', 'Manages people and apps'),
    (3, 'member', 'Works on tasks'),
    (4, 'guest', 'Reads; comments where invited');
