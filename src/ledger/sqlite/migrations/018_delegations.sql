-- Whom somebody lets answer for them, as a JSON object: kept as grants are, and none of what they hold.
ALTER TABLE grants ADD COLUMN delegated TEXT;
