DROP EVENT purge;
