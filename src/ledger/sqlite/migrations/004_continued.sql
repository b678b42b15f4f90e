-- Where somebody was told why something is refused, and continued: what they continued past, as a JSON object.
ALTER TABLE grants ADD COLUMN continued TEXT;
