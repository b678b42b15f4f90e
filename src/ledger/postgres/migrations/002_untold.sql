-- What became of grants, until the book of the gateway that did it says so on disk, and how it will: also a review, beside
-- an end.
CREATE TABLE untold (
  id        TEXT COLLATE "C" NOT NULL,
  act       TEXT NOT NULL,
  gateway   TEXT NOT NULL,
  on_record TEXT NOT NULL,
  PRIMARY KEY (id, act)
);
INSERT INTO untold
SELECT g.id, g.state, e.gateway,
       json_build_object('segment', e.segment, 'act', g.state, 'by', coalesce(g.ended::json ->> 'by', g.subject),
                         'rulebook', e.rulebook, 'policies', '[]'::json)::text
FROM endings e JOIN grants g ON g.id = e.id WHERE g.state IN ('withdrawn', 'revoked');
DROP TABLE endings;
