-- Which grant another one renews.
ALTER TABLE grants ADD COLUMN parent TEXT;
