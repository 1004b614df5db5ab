DELETE FROM settings WHERE name = 'n_projects' AND scope = 1;
