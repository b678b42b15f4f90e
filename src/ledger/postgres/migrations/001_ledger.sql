-- What people hold, and what they held. Moments are milliseconds since 1970-01-01T00:00:00Z; sets and what has parts are
-- JSON. Names of grants sort by time, byte by byte.
CREATE TABLE grants (
  id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  subject      TEXT   NOT NULL,
  purpose      TEXT   NOT NULL,
  platforms    TEXT   NOT NULL,
  covers       TEXT   NOT NULL,
  statement    TEXT   NOT NULL,
  ticket       TEXT,
  channel      TEXT   NOT NULL,
  declared_ms  BIGINT NOT NULL,
  begins_ms    BIGINT NOT NULL,
  expires_ms   BIGINT NOT NULL,
  answer_by_ms BIGINT,
  answers      TEXT   NOT NULL,
  continued    TEXT,
  state        TEXT   NOT NULL
               CHECK (state IN ('requested', 'active', 'withdrawn', 'revoked', 'declined', 'lapsed')),
  ended_ms     BIGINT,
  ended        TEXT,
  came         TEXT,
  idle_ms      BIGINT,
  used_ms      BIGINT,
  parent       TEXT,
  emergency    TEXT,
  -- The change that wrote the row last.
  changed      BIGINT NOT NULL
);
-- Start-up reads each person's grants, those that wait and those in force first.
CREATE INDEX grants_by_subject ON grants (subject, state, expires_ms);
-- The other gateways read what has changed since they looked last.
CREATE INDEX grants_by_change ON grants (changed);

-- Grants that a gateway took back because nobody knew whether they had been kept: they never counted.
CREATE TABLE taken_back (
  id      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  changed BIGINT NOT NULL
);
CREATE INDEX taken_back_by_change ON taken_back (changed);

-- The number of the last change. Every change counts on here first: so there is one at a time, whichever gateway makes it,
-- and whoever has seen a number has seen all below it.
CREATE TABLE changes (last BIGINT NOT NULL);
INSERT INTO changes VALUES (0);

-- Grants that are on their way: promised here, then recorded in the book of their gateway, then given. What is left after
-- a crash is compared with that book when that gateway starts again.
CREATE TABLE promises (
  id      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  gateway TEXT   NOT NULL,
  segment BIGINT NOT NULL,
  state   TEXT   NOT NULL
);

-- Grants that a gateway ended, until its book says so on disk: nothing before that segment speaks of it, and those rules
-- let it end.
CREATE TABLE endings (
  id       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  gateway  TEXT   NOT NULL,
  segment  BIGINT NOT NULL,
  rulebook TEXT   NOT NULL
);
