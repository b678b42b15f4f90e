-- The weeks of which the digest was written: each once. Until it is told it stands among `notices`, by the number of its week.
CREATE TABLE digests (
  week BIGINT NOT NULL PRIMARY KEY
);
