-- All tasks are gone after this.
DROP TABLE tasks;
