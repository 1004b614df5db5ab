-- The people of this tenant are gone after this; their platform accounts stay.
DROP TABLE users;
