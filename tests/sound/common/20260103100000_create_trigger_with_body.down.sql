DROP TRIGGER accounts_changed;
