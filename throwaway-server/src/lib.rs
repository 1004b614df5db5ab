//! A private MySQL or MariaDB server for minutes.
