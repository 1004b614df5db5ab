-- Status changes are no longer written down; what was written stays.
DROP TRIGGER tasks_after_update;
