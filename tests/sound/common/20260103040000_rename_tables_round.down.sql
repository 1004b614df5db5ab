RENAME TABLE old_accounts TO accounts_archive;
