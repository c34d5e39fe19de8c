-- Instants are milliseconds since the Unix epoch, but for `changes.at`; `last_seen` is on the time line that stands still while
-- no server is up. What a platform, a back end or a client names (openids, user ids, devices) is kept as bytes: such a name may
-- hold U+0000, which no text of PostgreSQL's can, and bytes have one order on every system. To read one:
-- convert_from(user_id, 'UTF8').

-- One row: when a server was last known to be alive, and how long none was in all. Rows of `changes` of transactions before
-- `changes_from` may have been deleted. `moved_to`: the file (its id) that everything was exported to at `moved_at`, for another
-- database: no server starts on this one after that. `rehearsal_at`: what is here came in by a rehearsal of a move, as it was then, and the
-- old server went on: servers start on it only if they are told so.
-- `schema` says which schema this is, and `compatible_from` the oldest whose programs work on it too. Every migration says both anew, as its last
-- statement: what says nothing is taken for one that older programs don't work on.
CREATE TABLE meta (
  one             integer PRIMARY KEY CHECK (one = 1),
  alive_at        bigint,
  downtime_ms     bigint NOT NULL DEFAULT 0,
  changes_from    bigint NOT NULL DEFAULT 0,
  moved_at        bigint,
  moved_to        text COLLATE "C",
  rehearsal_at    bigint,
  schema          bigint NOT NULL,
  compatible_from bigint NOT NULL
);
INSERT INTO meta (one, schema, compatible_from) VALUES (1, 1, 1);

-- A row for each server. `batch` counts its transactions, so that one whose COMMIT got no answer can be asked about. `knows` is the newest
-- schema that its program knows: whoever migrates looks at it first.
-- `leased_until`: up to when signed requests may have been accepted; `saved`: what a stop in order left of their nonces, sealed.
CREATE TABLE nodes (
  id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name         text COLLATE "C" NOT NULL UNIQUE,
  batch        bigint NOT NULL DEFAULT 0,
  knows        bigint NOT NULL DEFAULT 0,
  leased_until bigint,
  saved        bytea
);

-- Data keys, sealed under the master key.
CREATE TABLE data_keys (
  id       bigint PRIMARY KEY,
  sealed   bytea NOT NULL,
  reserved bigint NOT NULL
);

-- One (app, openid) that the platform vouched for. `user_id` is its binding. `vouched_at` is when it did so last; NULL: never, it
-- came in by a file.
CREATE TABLE identities (
  id          uuid PRIMARY KEY,
  realm       text COLLATE "C" NOT NULL,
  app         text COLLATE "C" NOT NULL,
  openid      bytea NOT NULL,
  unionid     bytea,
  session_key bytea,
  user_id     bytea,
  bound_at    bigint,
  created_at  bigint NOT NULL,
  vouched_at  bigint,
  UNIQUE (openid, app)
);
CREATE INDEX identities_of_user ON identities (realm, user_id, app) WHERE user_id IS NOT NULL;
CREATE INDEX identities_of_unionid ON identities (unionid, realm) WHERE unionid IS NOT NULL;

-- What is said about users, and since when one is disabled.
CREATE TABLE users (
  realm       text COLLATE "C" NOT NULL,
  user_id     bytea NOT NULL,
  claims      text COLLATE "C",
  disabled_at bigint,
  PRIMARY KEY (realm, user_id)
);

-- openid, unionid and claims are joined in when a session is loaded. A live session has a user only if its identity is bound to
-- that user, so a user's sessions are found through the identities. A keyed session's key is sealed; `key_version` is WeChat's.
-- `jar_version` counts what has changed in its jar. Ids are UUIDv7, so that inserts are sequential; there is room left on each
-- page for what changes most, the last use.
CREATE TABLE sessions (
  id           uuid PRIMARY KEY,
  realm        text COLLATE "C" NOT NULL,
  app          text COLLATE "C" NOT NULL,
  identity     uuid NOT NULL,
  user_id      bytea,
  device_id    bytea,
  device_type  bytea,
  device_name  bytea,
  env_version  text COLLATE "C",
  created_at   bigint NOT NULL,
  vouched_at   bigint NOT NULL,
  absolute_at  bigint NOT NULL,
  last_seen    bigint NOT NULL,
  key_kind     text COLLATE "C" NOT NULL,
  key_version  bigint NOT NULL DEFAULT 0,
  key          bytea,
  secrets      text COLLATE "C" NOT NULL,
  jar_version  bigint NOT NULL DEFAULT 0,
  ended_reason text COLLATE "C",
  ended_at     bigint
) WITH (fillfactor = 85);
CREATE INDEX sessions_live ON sessions (identity, id) WHERE ended_at IS NULL;
CREATE INDEX sessions_ended ON sessions (ended_at, id) WHERE ended_at IS NOT NULL;

-- Which sessions each transaction has changed: for the tables of the other servers. `xid` orders by when a transaction began, so
-- a reader goes back to the oldest that was under way. `at` is the database's own clock, and only says what is old.
CREATE TABLE changes (
  xid     xid8 NOT NULL DEFAULT pg_current_xact_id(),
  session uuid NOT NULL,
  ended   boolean NOT NULL,
  at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX changes_in_order ON changes (xid);

-- Answers of logins, sealed, for the same login again.
CREATE TABLE logins (
  key        bytea PRIMARY KEY,
  session    uuid NOT NULL,
  sealed     bytea NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX logins_expiring ON logins (expires_at, key);

-- The back end's own cookies, a row each: what one answer writes is the rows of its own cookies. What tells them apart are
-- keyed hashes.
CREATE TABLE jar (
  session    uuid NOT NULL,
  slot       bytea NOT NULL,
  twin       bytea NOT NULL,
  site       bytea NOT NULL,
  everywhere boolean NOT NULL,
  expires_at bigint,
  created    bigint NOT NULL,
  used_at    bigint NOT NULL,
  sealed     bytea NOT NULL,
  PRIMARY KEY (session, slot)
);

-- Bind codes, hashed. `seen_by` is the session that has shown one to its person: only that one may redeem it.
CREATE TABLE bind_codes (
  hash       bytea PRIMARY KEY,
  realm      text COLLATE "C" NOT NULL,
  app        text COLLATE "C",
  user_id    bytea NOT NULL,
  masked     bytea NOT NULL,
  expires_at bigint NOT NULL,
  seen_by    uuid
);
CREATE INDEX bind_codes_of_user ON bind_codes (realm, user_id, expires_at);
CREATE INDEX bind_codes_expiring ON bind_codes (expires_at, hash);

-- Files of bindings that are on their way in. `position` is in bytes; `note` is the importer's own.
CREATE TABLE imports (
  file     bytea PRIMARY KEY,
  position bigint NOT NULL,
  note     text COLLATE "C" NOT NULL
);

-- The keys that sign JWTs, each sealed for its row. Which one signs follows from `signs_from`.
CREATE TABLE signing_keys (
  kid         text COLLATE "C" PRIMARY KEY,
  alg         text COLLATE "C" NOT NULL,
  private_key bytea NOT NULL,
  made_at     bigint NOT NULL,
  signs_from  bigint NOT NULL
);

-- Which signed requests were accepted, over all servers: those of whoever has no Redis. `fingerprint` is a digest of session and
-- nonce; from `expires_at` on nothing is accepted that was signed so long ago. In no order, so pages stay half empty.
CREATE TABLE nonces (
  fingerprint bytea PRIMARY KEY,
  expires_at  bigint NOT NULL
);
-- No two are alike: whoever deletes goes on exactly where it left off (postgres/forget.rs). The same for tries.
CREATE INDEX nonces_expiring ON nonces (expires_at, fingerprint);

-- One row: since when the nonces are remembered, on which of the database's time lines, and how far its clock was at least.
CREATE TABLE nonces_past (
  one   integer PRIMARY KEY CHECK (one = 1),
  reign text COLLATE "C" NOT NULL,
  first bigint NOT NULL,
  high  bigint NOT NULL
);

-- How often somebody has tried what is limited, over all servers: those of whoever has no Redis. By how long a slot is (milliseconds), what
-- is counted apart (`kind`) and the turn; `name` is a keyed digest, `counts` says slots with how often. From `expires_at` on nobody reads it.
CREATE TABLE tries (
  slot_ms    bigint  NOT NULL,
  kind       integer NOT NULL,
  turn       bigint  NOT NULL,
  name       bytea   NOT NULL,
  counts     text COLLATE "C" NOT NULL,
  expires_at bigint  NOT NULL,
  PRIMARY KEY (slot_ms, kind, turn, name)
);
CREATE INDEX tries_expiring ON tries (expires_at, name);

-- How many names each turn has: counted here, because counting rows would cost every try as many steps as there are.
CREATE TABLE tries_turns (
  slot_ms    bigint  NOT NULL,
  kind       integer NOT NULL,
  turn       bigint  NOT NULL,
  names      bigint  NOT NULL,
  expires_at bigint  NOT NULL,
  PRIMARY KEY (slot_ms, kind, turn)
);

-- Apps that are being moved from a session that their back end made at home. `share` is in hundredths of a percent.
CREATE TABLE moves (
  realm text COLLATE "C" NOT NULL,
  app   text COLLATE "C" NOT NULL,
  share integer NOT NULL,
  back  boolean NOT NULL,
  PRIMARY KEY (realm, app)
);

-- Who has moved whatever the share says, one row each, so that a login looks up its own person alone. `kind` is `openid` or `user`.
CREATE TABLE move_lists (
  realm text COLLATE "C" NOT NULL,
  app   text COLLATE "C" NOT NULL,
  kind  text COLLATE "C" NOT NULL,
  id    bytea NOT NULL,
  PRIMARY KEY (realm, app, kind, id)
);

-- Answers of admin calls that changed something, sealed, for the same call again. `key` is a digest of the realm, the API key and
-- the client's idempotency key; `request` one of what was asked.
CREATE TABLE idempotency (
  key        bytea PRIMARY KEY,
  realm      text COLLATE "C" NOT NULL,
  request    bytea NOT NULL,
  sealed     bytea NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX idempotency_expiring ON idempotency (expires_at, key);

-- How many each realm has: counted here, because counting rows would cost every call as many steps as there are.
CREATE TABLE idempotency_counts (
  realm text COLLATE "C" PRIMARY KEY,
  kept  bigint NOT NULL
);
CREATE FUNCTION idempotency_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO idempotency_counts AS c (realm, kept) VALUES (NEW.realm, 1)
      ON CONFLICT (realm) DO UPDATE SET kept = c.kept + 1;
  ELSE
    UPDATE idempotency_counts SET kept = kept - 1 WHERE realm = OLD.realm;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER idempotency_is_counted AFTER INSERT OR DELETE ON idempotency
  FOR EACH ROW EXECUTE FUNCTION idempotency_counted();

-- The audit log: one chain of rows for each server. `mac` is over the row and the MAC before it. `clear` is the event; what is
-- personal in it is `sealed` under the key `person`.
CREATE TABLE audit (
  node   integer NOT NULL REFERENCES nodes,
  seq    bigint NOT NULL,
  at     bigint NOT NULL,
  realm  text COLLATE "C",
  clear  bytea NOT NULL,
  person bigint,
  sealed bytea,
  mac    bytea NOT NULL,
  PRIMARY KEY (node, seq)
);

-- What persons' keys are made of. `no` is the row that was the first under the key, so that no number comes twice in a chain;
-- `owner` is a keyed hash. A person without a row here was erased.
CREATE TABLE audit_keys (
  node   integer NOT NULL REFERENCES nodes,
  no     bigint NOT NULL,
  period bigint NOT NULL,
  owner  bytea NOT NULL,
  salt   bytea NOT NULL,
  PRIMARY KEY (node, no),
  UNIQUE (owner, period, node)
);
CREATE INDEX audit_keys_by_age ON audit_keys (node, period);

-- What retention has left: the last row that was deleted, and how many there were.
CREATE TABLE audit_checkpoint (
  node integer PRIMARY KEY REFERENCES nodes,
  seq  bigint NOT NULL,
  head bytea NOT NULL,
  rows bigint NOT NULL,
  at   bigint NOT NULL,
  mac  bytea NOT NULL
);

-- Against mistakes of ours, not against whoever can write to the database: he can drop these.
CREATE FUNCTION audit_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    RAISE EXCEPTION 'audit rows are never changed';
  END IF;
  IF OLD.seq > coalesce((SELECT c.seq FROM audit_checkpoint c WHERE c.node = OLD.node), 0) THEN
    RAISE EXCEPTION 'audit rows go only behind a checkpoint';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_kept();

-- The platforms' access tokens, one row for each app and source: the token that all nodes use, sealed, and who fetches the next. Times
-- are the database's own clock in milliseconds. `fence` counts leases: what the owner of an earlier one brings is refused. `dead` is the
-- last token that the platform refused.
CREATE TABLE platform_tokens (
  key          text COLLATE "C" PRIMARY KEY,
  sealed       bytea,
  digest       bytea,
  refresh_at   bigint,
  expires_at   bigint,
  fence        bigint NOT NULL DEFAULT 0,
  owner        text COLLATE "C",
  leased_until bigint,
  dead         bytea,
  dead_at      bigint,
  replaced     bigint[] NOT NULL DEFAULT '{}',
  forced       bigint[] NOT NULL DEFAULT '{}',
  used_at      bigint NOT NULL DEFAULT 0
);
