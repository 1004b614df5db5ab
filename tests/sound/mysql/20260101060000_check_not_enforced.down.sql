ALTER TABLE things DROP CHECK ck_things;
