-- Why a token was revoked, where its person did not do so themselves: JSON.
ALTER TABLE tokens ADD COLUMN revoked_for TEXT;

-- What the accounts looked like when it was last seen to that the tokens of their people are good: digests in hexadecimal
-- digits.
CREATE TABLE accounts (
  subject TEXT NOT NULL PRIMARY KEY,
  mark    TEXT NOT NULL
) STRICT;
