-- What was taken in an emergency: until when it must be reviewed, and what was found, as a JSON object.
ALTER TABLE grants ADD COLUMN emergency TEXT;
