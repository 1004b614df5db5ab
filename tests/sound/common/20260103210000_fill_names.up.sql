-- migration: loses people.full_name nothing was in it
UPDATE people SET full_name = CONCAT('person ', id);
