UPDATE settings s JOIN copy_of_settings c ON c.name = s.name SET s.value = c.value;
DROP TABLE copy_of_settings;
