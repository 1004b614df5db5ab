ALTER TABLE accounts DROP settings;
