-- What was done for calls that are to be done once, by who sent them and the digest of the key that they gave: so that
-- whoever sends one again, to whichever gateway, hears what came of it. Kept for a day.
CREATE TABLE done (
  subject TEXT   NOT NULL,
  key     TEXT   NOT NULL,
  made_ms BIGINT NOT NULL,
  what    TEXT   NOT NULL,
  PRIMARY KEY (subject, key)
);
CREATE INDEX done_by_time ON done (made_ms);

-- Tokens for tools: of their texts only the digest, in hexadecimal digits. Days are counted from 1970-01-01.
CREATE TABLE tokens (
  id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  subject    TEXT   NOT NULL,
  name       TEXT   NOT NULL,
  scope      TEXT   NOT NULL,
  hash       TEXT   NOT NULL UNIQUE,
  made_ms    BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  revoked_ms BIGINT,
  used_day   BIGINT,
  -- The change that wrote the row last.
  changed    BIGINT NOT NULL
);
CREATE INDEX tokens_by_subject ON tokens (subject);
-- The other gateways read what has changed since they looked last.
CREATE INDEX tokens_by_change ON tokens (changed);
