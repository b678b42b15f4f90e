-- What people are to be told of a grant, until they were. Nobody's yet where `way` is empty; then one for each way and
-- recipient. Whoever sends it claims it until a moment, after which it is anybody's again.
CREATE TABLE notices (
  id         TEXT    NOT NULL,
  event      TEXT    NOT NULL,
  way        TEXT    NOT NULL DEFAULT '',
  recipient  TEXT    NOT NULL DEFAULT '',
  since_ms   INTEGER NOT NULL,
  due_ms     INTEGER NOT NULL,
  tries      INTEGER NOT NULL DEFAULT 0,
  claimed_ms INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (id, event, way, recipient)
) STRICT;
CREATE INDEX notices_by_due ON notices (due_ms);
