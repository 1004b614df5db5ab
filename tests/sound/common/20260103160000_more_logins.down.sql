UPDATE accounts SET logins = logins - 1;
