-- What waits is counted every second, and of each grant it is noted that its holder is to be asked what came of it: those are not
-- looked at one by one.
CREATE INDEX notices_waiting ON notices (due_ms) WHERE event <> 'came-of-it';
-- What was put off until a morning is to be told since then.
UPDATE notices SET since_ms = due_ms WHERE event = 'came-of-it' AND way = '' AND due_ms > since_ms;
