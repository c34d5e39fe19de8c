-- Instants are integer milliseconds since the Unix epoch; `last_seen` is on the time line that stands still while the
-- server is down. Ids are 16-byte UUIDv7, so that inserts are sequential.

-- One row: when the server was last known to be alive, and how long it was down in all.
CREATE TABLE meta (
  only        INTEGER PRIMARY KEY CHECK (only = 1),
  alive_at    INTEGER,
  downtime_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO meta (only) VALUES (1);

-- Data keys, sealed under the master key.
CREATE TABLE data_keys (
  id       INTEGER PRIMARY KEY,
  sealed   BLOB NOT NULL,
  reserved INTEGER NOT NULL
) STRICT;

-- One (app, openid) that the platform vouched for. `user_id` is its binding.
CREATE TABLE identities (
  id          BLOB PRIMARY KEY,
  realm       TEXT NOT NULL,
  app         TEXT NOT NULL,
  openid      TEXT NOT NULL,
  unionid     TEXT,
  session_key BLOB,
  user_id     TEXT,
  bound_at    INTEGER,
  created_at  INTEGER NOT NULL,
  UNIQUE (openid, app)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_of_user ON identities (realm, user_id, app) WHERE user_id IS NOT NULL;

-- What is said about users.
CREATE TABLE users (
  realm   TEXT NOT NULL,
  user_id TEXT NOT NULL,
  claims  TEXT,
  PRIMARY KEY (realm, user_id)
) STRICT, WITHOUT ROWID;

-- openid, unionid and claims are joined in when a session is loaded. A live session has a user only if its identity is
-- bound to that user, so a user's sessions are found through the identities: one random index fewer to write at each login.
CREATE TABLE sessions (
  id           BLOB PRIMARY KEY,
  realm        TEXT NOT NULL,
  app          TEXT NOT NULL,
  identity     BLOB NOT NULL,
  user_id      TEXT,
  device_id    TEXT,
  device_type  TEXT,
  device_name  TEXT,
  env_version  TEXT,
  created_at   INTEGER NOT NULL,
  vouched_at   INTEGER NOT NULL,
  absolute_at  INTEGER NOT NULL,
  last_seen    INTEGER NOT NULL,
  key_kind     TEXT NOT NULL,
  secrets      TEXT NOT NULL,
  ended_reason TEXT,
  ended_at     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_live ON sessions (identity) WHERE ended_at IS NULL;
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;

-- Answers of logins, sealed, for the same login again.
CREATE TABLE logins (
  key        BLOB PRIMARY KEY,
  session    BLOB NOT NULL,
  sealed     BLOB NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX logins_expiring ON logins (expires_at);

-- The back end's own cookies, sealed, one row each: parallel answers never overwrite each other's.
CREATE TABLE jar (
  session BLOB NOT NULL,
  slot    BLOB NOT NULL,
  sealed  BLOB NOT NULL,
  PRIMARY KEY (session, slot)
) STRICT, WITHOUT ROWID;
