-- migration: irreversible nobody knows which had none
DO 0;
