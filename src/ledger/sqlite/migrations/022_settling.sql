-- What holders said that is not forgotten yet: a week's worth is found without reading what was said in all the years before.
CREATE INDEX grants_to_settle ON grants (reported_ms) WHERE reported_ms IS NOT NULL AND json_extract(report, '$.settled') IS NULL;
