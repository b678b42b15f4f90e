-- What was done for calls that are to be done once, by who sent them and the digest of the key that they gave: so that
-- whoever sends one again hears what came of it. Kept for a day.
CREATE TABLE done (
  subject TEXT    NOT NULL,
  key     TEXT    NOT NULL,
  made_ms INTEGER NOT NULL,
  what    TEXT    NOT NULL,
  PRIMARY KEY (subject, key)
) STRICT;
CREATE INDEX done_by_time ON done (made_ms);

-- Tokens for tools: of their texts only the digest, in hexadecimal digits. Days are counted from 1970-01-01.
CREATE TABLE tokens (
  id         TEXT    NOT NULL PRIMARY KEY,
  subject    TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  scope      TEXT    NOT NULL,
  hash       TEXT    NOT NULL UNIQUE,
  made_ms    INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  revoked_ms INTEGER,
  used_day   INTEGER
) STRICT;
CREATE INDEX tokens_by_subject ON tokens (subject);
