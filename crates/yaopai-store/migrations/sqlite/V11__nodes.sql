-- The same tables as PostgreSQL has, so that one description of them moves a database from one to the other.
--
-- Whose chains of the audit log these are. 0 is this database's own; others came in with the data of many nodes, and end where
-- those stopped. `leased_until`: up to when signed requests may have been accepted; `saved`: what a stop in order left of their
-- nonces, sealed.
CREATE TABLE nodes (
  id           INTEGER PRIMARY KEY,
  name         TEXT NOT NULL UNIQUE,
  leased_until INTEGER,
  saved        BLOB
) STRICT;
INSERT INTO nodes (id, name, leased_until, saved) SELECT 0, 'embedded database', leased_until, saved FROM proofs;
DROP TABLE proofs;

DROP TRIGGER audit_is_not_changed;
DROP TRIGGER audit_is_not_cut;
ALTER TABLE audit RENAME TO audit_of_one;
ALTER TABLE audit_keys RENAME TO audit_keys_of_one;
ALTER TABLE audit_checkpoint RENAME TO audit_checkpoint_of_one;
DROP INDEX audit_keys_of_owner;

-- The audit log: a chain of rows for each node. `mac` is over the row and the MAC before it. `clear` is the event; what is
-- personal in it is `sealed` under the key `person`.
CREATE TABLE audit (
  node   INTEGER NOT NULL REFERENCES nodes,
  seq    INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  realm  TEXT,
  clear  BLOB NOT NULL,
  person INTEGER,
  sealed BLOB,
  mac    BLOB NOT NULL,
  PRIMARY KEY (node, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO audit SELECT 0, seq, at, realm, clear, person, sealed, mac FROM audit_of_one ORDER BY seq;
DROP TABLE audit_of_one;

-- What persons' keys are made of. `no` is the row that was the first under the key, so that no number comes twice in a chain;
-- `owner` is a keyed hash. A person without a row here was erased.
CREATE TABLE audit_keys (
  node   INTEGER NOT NULL REFERENCES nodes,
  no     INTEGER NOT NULL,
  period INTEGER NOT NULL,
  owner  BLOB NOT NULL,
  salt   BLOB NOT NULL,
  PRIMARY KEY (node, no)
) STRICT, WITHOUT ROWID;
INSERT INTO audit_keys SELECT 0, no, period, owner, salt FROM audit_keys_of_one ORDER BY no;
DROP TABLE audit_keys_of_one;
CREATE UNIQUE INDEX audit_keys_of_owner ON audit_keys (owner, period, node);

-- What retention has left: the last row that was deleted, and how many there were.
CREATE TABLE audit_checkpoint (
  node INTEGER PRIMARY KEY REFERENCES nodes,
  seq  INTEGER NOT NULL,
  head BLOB NOT NULL,
  rows INTEGER NOT NULL,
  at   INTEGER NOT NULL,
  mac  BLOB NOT NULL
) STRICT;
INSERT INTO audit_checkpoint SELECT 0, seq, head, rows, at, mac FROM audit_checkpoint_of_one;
DROP TABLE audit_checkpoint_of_one;

-- Against mistakes of ours, not against whoever can write to the file: he can drop these.
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN
  SELECT raise(ABORT, 'audit rows are never changed');
END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
WHEN OLD.seq > ifnull((SELECT c.seq FROM audit_checkpoint c WHERE c.node = OLD.node), 0) BEGIN
  SELECT raise(ABORT, 'audit rows go only behind a checkpoint');
END;

-- Which schema this is, and the oldest whose programs work on it too. Every migration says both anew, as its last statement: what
-- says nothing is taken for one that older programs don't work on.
ALTER TABLE meta ADD COLUMN schema INTEGER NOT NULL DEFAULT 0;
ALTER TABLE meta ADD COLUMN compatible_from INTEGER NOT NULL DEFAULT 0;
UPDATE meta SET schema = 11, compatible_from = 11;
