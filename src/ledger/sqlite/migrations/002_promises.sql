-- Grants that are on their way: promised here, then recorded in the book, then given. What is left after a crash is
-- compared with the book at the next start.
CREATE TABLE promises (
  id       TEXT    NOT NULL PRIMARY KEY,
  doubtful INTEGER NOT NULL DEFAULT 0
) STRICT;
