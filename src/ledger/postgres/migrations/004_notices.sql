-- What people are to be told of a grant, until they were. Nobody's yet where `way` is empty; then one for each way and
-- recipient. The gateway that sends it claims it until a moment, after which it is anybody's again.
CREATE TABLE notices (
  id         TEXT COLLATE "C" NOT NULL,
  event      TEXT   NOT NULL,
  way        TEXT   NOT NULL DEFAULT '',
  recipient  TEXT   NOT NULL DEFAULT '',
  since_ms   BIGINT NOT NULL,
  due_ms     BIGINT NOT NULL,
  tries      BIGINT NOT NULL DEFAULT 0,
  gateway    TEXT,
  claimed_ms BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id, event, way, recipient)
);
CREATE INDEX notices_by_due ON notices (due_ms);
