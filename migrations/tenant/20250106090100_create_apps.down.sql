-- The apps and their settings are gone after this.
DROP TABLE apps;
