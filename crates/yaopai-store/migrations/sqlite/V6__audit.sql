-- The audit log: one chain of rows. `mac` is over the row and the MAC before it. `clear` is the event; what is personal in it
-- is `sealed` under the key `person`.
CREATE TABLE audit (
  seq    INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  realm  TEXT,
  clear  BLOB NOT NULL,
  person INTEGER,
  sealed BLOB,
  mac    BLOB NOT NULL
) STRICT;

-- What persons' keys are made of. `no` is the row that was the first under the key, so that no number comes twice; `owner`
-- is a keyed hash. A person without a row here was erased.
CREATE TABLE audit_keys (
  no     INTEGER PRIMARY KEY,
  period INTEGER NOT NULL,
  owner  BLOB NOT NULL,
  salt   BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX audit_keys_of_owner ON audit_keys (period, owner);

-- What retention has left: the last row that was deleted, and how many there were.
CREATE TABLE audit_checkpoint (
  only     INTEGER PRIMARY KEY CHECK (only = 1),
  seq      INTEGER NOT NULL,
  head     BLOB NOT NULL,
  rows     INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  mac      BLOB NOT NULL
) STRICT;

-- Against mistakes of ours, not against whoever can write to the file: he can drop these.
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN
  SELECT raise(ABORT, 'audit rows are never changed');
END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
WHEN OLD.seq > (SELECT ifnull(max(seq), 0) FROM audit_checkpoint) BEGIN
  SELECT raise(ABORT, 'audit rows go only behind a checkpoint');
END;
