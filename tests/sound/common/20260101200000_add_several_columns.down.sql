ALTER TABLE documents DROP COLUMN language, DROP COLUMN n_pages;
