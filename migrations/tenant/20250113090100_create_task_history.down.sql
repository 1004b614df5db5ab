-- What tasks went through is gone after this; what they are now stays.
DROP TABLE task_history;
