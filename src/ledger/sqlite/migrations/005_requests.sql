-- Grants that somebody must approve: asked for, and then answered. What may stand in `state` grows, and SQLite changes a
-- check only with its table. Nothing has ever written `approved_by`; what was answered takes its place, as a JSON array.
CREATE TABLE grants_and_requests (
  id           TEXT    NOT NULL PRIMARY KEY,
  subject      TEXT    NOT NULL,
  purpose      TEXT    NOT NULL,
  platforms    TEXT    NOT NULL,
  covers       TEXT    NOT NULL,
  statement    TEXT    NOT NULL,
  ticket       TEXT,
  channel      TEXT    NOT NULL,
  declared_ms  INTEGER NOT NULL,
  begins_ms    INTEGER NOT NULL,
  expires_ms   INTEGER NOT NULL,
  answer_by_ms INTEGER,
  answers      TEXT    NOT NULL DEFAULT '[]',
  continued    TEXT,
  state        TEXT    NOT NULL
               CHECK (state IN ('requested', 'active', 'withdrawn', 'revoked', 'declined', 'lapsed')),
  ended_ms     INTEGER
) STRICT;
INSERT INTO grants_and_requests (id, subject, purpose, platforms, covers, statement, ticket, channel, declared_ms,
                                 begins_ms, expires_ms, continued, state, ended_ms)
  SELECT id, subject, purpose, platforms, covers, statement, ticket, channel, declared_ms, begins_ms, expires_ms,
         continued, state, ended_ms FROM grants;
DROP TABLE grants;
ALTER TABLE grants_and_requests RENAME TO grants;

-- Start-up reads each person's grants, those that wait and those in force first.
CREATE INDEX grants_by_subject ON grants (subject, state, expires_ms);
