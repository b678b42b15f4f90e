-- How whoever asked came, while a request waits: as a JSON object.
ALTER TABLE grants ADD COLUMN came TEXT;
