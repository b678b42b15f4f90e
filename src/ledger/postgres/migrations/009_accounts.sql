-- Why a token was revoked, where its person did not do so themselves: JSON.
ALTER TABLE tokens ADD COLUMN revoked_for TEXT;

-- What the accounts of each gateway looked like when it last saw to it that the tokens of their people are good: digests in
-- hexadecimal digits.
CREATE TABLE accounts (
  gateway TEXT NOT NULL,
  subject TEXT NOT NULL,
  mark    TEXT NOT NULL,
  PRIMARY KEY (gateway, subject)
);
