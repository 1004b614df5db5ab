ALTER TABLE accounts CHANGE plan plan ENUM('free','team','pro') NOT NULL DEFAULT 'free';
