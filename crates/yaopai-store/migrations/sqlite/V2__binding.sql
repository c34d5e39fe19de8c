-- Bind codes, hashed. `seen_by` is the session that has shown one to its person: only that one may redeem it.
CREATE TABLE bind_codes (
  hash       BLOB PRIMARY KEY,
  realm      TEXT NOT NULL,
  app        TEXT,
  user_id    TEXT NOT NULL,
  masked     TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  seen_by    BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX bind_codes_of_user ON bind_codes (realm, user_id, expires_at);
CREATE INDEX bind_codes_expiring ON bind_codes (expires_at);

-- Who else has a new identity's unionid. Only bound ones are asked for.
CREATE INDEX identities_of_unionid ON identities (unionid, realm) WHERE unionid IS NOT NULL AND user_id IS NOT NULL;
