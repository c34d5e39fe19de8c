-- The back end's own cookies, a row each: what one answer writes is the rows of its own cookies. What tells them apart are
-- keyed hashes. What earlier versions kept here nobody has ever read.
DROP TABLE jar;
CREATE TABLE jar (
  session    BLOB NOT NULL,
  slot       BLOB NOT NULL,
  twin       BLOB NOT NULL,
  site       BLOB NOT NULL,
  everywhere INTEGER NOT NULL,
  expires_at INTEGER,
  created    INTEGER NOT NULL,
  used_at    INTEGER NOT NULL,
  sealed     BLOB NOT NULL,
  PRIMARY KEY (session, slot)
) STRICT, WITHOUT ROWID;

-- Counts what has changed in a session's jar.
ALTER TABLE sessions ADD COLUMN jar_version INTEGER NOT NULL DEFAULT 0;
