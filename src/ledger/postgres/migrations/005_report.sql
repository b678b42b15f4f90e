-- What came of a grant, as its holder says: as a JSON object, and when they said so first.
ALTER TABLE grants ADD COLUMN report TEXT;
ALTER TABLE grants ADD COLUMN reported_ms BIGINT;

-- What people said is added up by the week in which they did.
CREATE INDEX grants_by_report ON grants (reported_ms) WHERE reported_ms IS NOT NULL;
