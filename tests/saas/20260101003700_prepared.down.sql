-- migration: irreversible a counter
DO 0;
