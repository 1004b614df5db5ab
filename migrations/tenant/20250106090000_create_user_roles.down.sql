-- Everybody loses their roles; people and roles themselves stay.
DROP TABLE user_roles;
