-- What people did in weeks that are not told yet: forgotten once they are. An empty platform or department is none.
CREATE TABLE counted (
  week       INTEGER NOT NULL,
  measure    TEXT    NOT NULL,
  purpose    TEXT    NOT NULL,
  platform   TEXT    NOT NULL,
  subject    TEXT    NOT NULL,
  department TEXT    NOT NULL,
  count      INTEGER NOT NULL,
  bytes_up   INTEGER NOT NULL,
  bytes_down INTEGER NOT NULL,
  millis     INTEGER NOT NULL,
  PRIMARY KEY (week, measure, purpose, platform, subject, department)
) STRICT, WITHOUT ROWID;

-- What is told of weeks that are over: of groups that are large enough, and of nobody else.
CREATE TABLE figures (
  week       INTEGER NOT NULL,
  purpose    TEXT    NOT NULL,
  measure    TEXT    NOT NULL,
  part       TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  people     INTEGER,
  count      INTEGER NOT NULL,
  bytes_up   INTEGER NOT NULL,
  bytes_down INTEGER NOT NULL,
  millis     INTEGER NOT NULL,
  PRIMARY KEY (week, purpose, measure, part, name)
) STRICT, WITHOUT ROWID;

-- Up to which week that is so, by what is told.
CREATE TABLE told_through (
  what TEXT    NOT NULL PRIMARY KEY,
  week INTEGER NOT NULL
) STRICT;
