-- What a promise makes of a grant that several must approve: how many answers it has by then. After a crash, book and ledger
-- are compared about that answer, and not about those before it.
ALTER TABLE promises ADD COLUMN answers INTEGER NOT NULL DEFAULT 0;
