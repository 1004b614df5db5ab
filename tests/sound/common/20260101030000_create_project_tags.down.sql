DROP TABLE project_tags;
