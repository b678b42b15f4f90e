-- What was answered, by when it was asked: how long that usually takes is read at a start without reading all grants.
CREATE INDEX grants_answered ON grants (declared_ms) WHERE answers <> '[]';
