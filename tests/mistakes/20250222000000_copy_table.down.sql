DROP TABLE users; RENAME TABLE users_old TO users;
