-- Answers of admin calls that changed something, sealed, for the same call again. `key` is a digest of the realm, the API key and
-- the client's idempotency key; `request` one of what was asked.
CREATE TABLE idempotency (
  key        BLOB PRIMARY KEY,
  realm      TEXT NOT NULL,
  request    BLOB NOT NULL,
  sealed     BLOB NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_expiring ON idempotency (expires_at);

-- How many each realm has: counted here, because counting rows would cost every call as many steps as there are.
CREATE TABLE idempotency_counts (
  realm TEXT PRIMARY KEY,
  kept  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER idempotency_is_counted AFTER INSERT ON idempotency BEGIN
  INSERT INTO idempotency_counts (realm, kept) VALUES (NEW.realm, 1) ON CONFLICT (realm) DO UPDATE SET kept = kept + 1;
END;
CREATE TRIGGER idempotency_goes AFTER DELETE ON idempotency BEGIN
  UPDATE idempotency_counts SET kept = kept - 1 WHERE realm = OLD.realm;
END;

-- When the platform last vouched for an identity. NULL: never, it came in by a file; or before its last session was forgotten.
ALTER TABLE identities ADD COLUMN vouched_at INTEGER;
UPDATE identities SET vouched_at = s.at
  FROM (SELECT identity, max(vouched_at) AS at FROM sessions GROUP BY identity) AS s WHERE s.identity = identities.id;

-- Everybody with a unionid, bound or not: a merge binds those that aren't.
DROP INDEX identities_of_unionid;
CREATE INDEX identities_of_unionid ON identities (unionid, realm) WHERE unionid IS NOT NULL;
