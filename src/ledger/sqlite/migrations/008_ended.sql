-- Where somebody ended a grant and said why: who, and what they said, as a JSON object.
ALTER TABLE grants ADD COLUMN ended TEXT;
