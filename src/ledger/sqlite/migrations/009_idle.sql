-- Grants that may not go unused for too long: for how long, in milliseconds, and when they were used last. What is in force
-- is used more often than that is written down.
ALTER TABLE grants ADD COLUMN idle_ms INTEGER;
ALTER TABLE grants ADD COLUMN used_ms INTEGER;
