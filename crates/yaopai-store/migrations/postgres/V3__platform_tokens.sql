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
