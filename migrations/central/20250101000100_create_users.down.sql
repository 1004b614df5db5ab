-- Nobody can log in to the platform after this; the tenants stay.
DROP TABLE users;
