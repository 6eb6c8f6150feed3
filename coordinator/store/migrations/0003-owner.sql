-- Who owns the database: a coordinator that starts takes the next number, and whoever has a lower one writes no more.
CREATE TABLE owner (number bigint NOT NULL);
INSERT INTO owner VALUES (0);
