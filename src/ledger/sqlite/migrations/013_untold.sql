-- What became of grants, until the book says so on disk, and how it will: also a review, beside an end.
CREATE TABLE untold (
  id        TEXT NOT NULL,
  act       TEXT NOT NULL,
  on_record TEXT NOT NULL,
  PRIMARY KEY (id, act)
) STRICT;
INSERT INTO untold
SELECT g.id, g.state, json_object('segment', e.segment, 'act', g.state, 'by', coalesce(json_extract(g.ended, '$.by'), g.subject),
                                  'rulebook', e.rulebook, 'policies', json('[]'))
FROM endings e JOIN grants g ON g.id = e.id WHERE g.state IN ('withdrawn', 'revoked');
DROP TABLE endings;
