CREATE TABLE places (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    spot POINT NOT NULL,
    outline POLYGON NULL,
    SPATIAL KEY idx_places_spot (spot)
);
