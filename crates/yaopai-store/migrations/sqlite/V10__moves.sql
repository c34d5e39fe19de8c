-- Apps that are being moved from a session that their back end made at home. `share` is in hundredths of a percent.
CREATE TABLE moves (
  realm TEXT NOT NULL,
  app   TEXT NOT NULL,
  share INTEGER NOT NULL,
  back  INTEGER NOT NULL,
  PRIMARY KEY (realm, app)
) STRICT, WITHOUT ROWID;

-- Who has moved whatever the share says, one row each, so that a login looks up its own person alone. `kind` is `openid` or `user`.
CREATE TABLE move_lists (
  realm TEXT NOT NULL,
  app   TEXT NOT NULL,
  kind  TEXT NOT NULL,
  id    TEXT NOT NULL,
  PRIMARY KEY (realm, app, kind, id)
) STRICT, WITHOUT ROWID;
