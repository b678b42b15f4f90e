-- Where in the book the record of a promised grant can begin: nothing before that segment speaks of it.
ALTER TABLE promises ADD COLUMN segment INTEGER NOT NULL DEFAULT 0;
