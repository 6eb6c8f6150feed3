-- Which database this is: a coordinator's data folder remembers it, and works with no other.
ALTER TABLE owner ADD COLUMN database uuid NOT NULL DEFAULT gen_random_uuid();
