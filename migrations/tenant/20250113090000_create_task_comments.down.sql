-- All comments are gone after this; the tasks stay.
DROP TABLE task_comments;
