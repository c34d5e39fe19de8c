-- A keyed session's key, sealed. `key_version` is WeChat's; 0 where keys have none.
ALTER TABLE sessions ADD COLUMN key_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN key BLOB;

-- One row: up to when signed requests may have been accepted, and what a stop in order left of their nonces, sealed.
CREATE TABLE proofs (
  only         INTEGER PRIMARY KEY CHECK (only = 1),
  leased_until INTEGER,
  saved        BLOB
) STRICT;
INSERT INTO proofs (only) VALUES (1);
