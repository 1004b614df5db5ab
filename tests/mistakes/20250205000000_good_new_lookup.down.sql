DROP TABLE post_kinds;
