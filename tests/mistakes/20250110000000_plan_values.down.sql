ALTER TABLE accounts CHANGE plan plan ENUM('free','pro') NOT NULL DEFAULT 'free';
