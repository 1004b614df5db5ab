UPDATE people SET full_name = NULL;
