-- What is promised of a grant: that it is given, asked for, declined, or lapsed. After a crash, book and ledger are
-- compared about that.
ALTER TABLE promises ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
