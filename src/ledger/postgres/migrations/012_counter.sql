-- What the portals of all gateways know alike, so that a person may come to any of them with their next request.

-- The key under which references, forms and envelopes are sealed, in hexadecimal digits; whoever comes first makes it.
CREATE TABLE counter_key (
  one BOOLEAN NOT NULL PRIMARY KEY DEFAULT TRUE CHECK (one),
  key TEXT    NOT NULL
);

-- The tokens of forms that were sent: each is good once.
CREATE TABLE spent (
  token     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  issued_ms BIGINT NOT NULL
);
CREATE INDEX spent_by_time ON spent (issued_ms);

-- Who signed in at the portal lately: of what their browsers show, and of their accounts, only digests, in hexadecimal digits.
CREATE TABLE sessions (
  digest   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  subject  TEXT   NOT NULL,
  since_ms BIGINT NOT NULL,
  mark     TEXT
);
CREATE INDEX sessions_by_subject ON sessions (subject);
CREATE INDEX sessions_by_time ON sessions (since_ms);

-- What somebody met at one gateway, for the others, for a day: sealed. It is worth no write-ahead log, and stands in no
-- archive of one: a database that breaks down forgets it.
CREATE UNLOGGED TABLE envelopes (
  subject TEXT    NOT NULL,
  kind    TEXT COLLATE "C" NOT NULL,
  name    TEXT COLLATE "C" NOT NULL,
  stays   BOOLEAN NOT NULL,
  at_ms   BIGINT  NOT NULL,
  sealed  BYTEA   NOT NULL,
  PRIMARY KEY (subject, kind, name)
);
CREATE INDEX envelopes_by_time ON envelopes (at_ms);
