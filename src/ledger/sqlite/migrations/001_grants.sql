-- What people hold, and what they held. Moments are milliseconds since 1970-01-01T00:00:00Z; sets are JSON arrays.
CREATE TABLE grants (
  id          TEXT    NOT NULL PRIMARY KEY,
  subject     TEXT    NOT NULL,
  purpose     TEXT    NOT NULL,
  platforms   TEXT    NOT NULL,
  covers      TEXT    NOT NULL,
  statement   TEXT    NOT NULL,
  ticket      TEXT,
  channel     TEXT    NOT NULL,
  declared_ms INTEGER NOT NULL,
  begins_ms   INTEGER NOT NULL,
  expires_ms  INTEGER NOT NULL,
  approved_by TEXT,
  state       TEXT    NOT NULL CHECK (state IN ('active', 'withdrawn', 'revoked')),
  ended_ms    INTEGER
) STRICT;

-- Start-up reads each person's grants, those in force first.
CREATE INDEX grants_by_subject ON grants (subject, state, expires_ms);
