-- What people did in weeks that are not told yet: forgotten once they are. An empty platform or department is none.
CREATE TABLE counted (
  week       BIGINT NOT NULL,
  measure    TEXT   NOT NULL,
  purpose    TEXT   NOT NULL,
  platform   TEXT   NOT NULL,
  subject    TEXT   NOT NULL,
  department TEXT   NOT NULL,
  count      BIGINT NOT NULL,
  bytes_up   BIGINT NOT NULL,
  bytes_down BIGINT NOT NULL,
  millis     BIGINT NOT NULL,
  PRIMARY KEY (week, measure, purpose, platform, subject, department)
);

-- What is told of weeks that are over: of groups that are large enough, and of nobody else.
CREATE TABLE figures (
  week       BIGINT NOT NULL,
  purpose    TEXT   NOT NULL,
  measure    TEXT   NOT NULL,
  part       TEXT   NOT NULL,
  name       TEXT   NOT NULL,
  people     BIGINT,
  count      BIGINT NOT NULL,
  bytes_up   BIGINT NOT NULL,
  bytes_down BIGINT NOT NULL,
  millis     BIGINT NOT NULL,
  PRIMARY KEY (week, purpose, measure, part, name)
);

-- Up to which week that is so, by what is told.
CREATE TABLE told_through (
  what TEXT   NOT NULL PRIMARY KEY,
  week BIGINT NOT NULL
);
