-- Grants that ended, until the book says so on disk. What is left after a crash is compared with the book at the next
-- start: nothing before that segment speaks of it, and those rules let it end.
CREATE TABLE endings (
  id       TEXT    NOT NULL PRIMARY KEY,
  segment  INTEGER NOT NULL,
  rulebook TEXT    NOT NULL
) STRICT;
