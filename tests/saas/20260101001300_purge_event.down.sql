DROP EVENT purge_audit;
