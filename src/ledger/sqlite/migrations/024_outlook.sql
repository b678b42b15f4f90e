-- What waits is counted every second, and of each grant it is noted that its holder is to be asked what came of it: those are not
-- looked at one by one.
CREATE INDEX notices_waiting ON notices (due_ms) WHERE event <> 'came-of-it';
