-- The keys that sign JWTs, each sealed for its row. Which one signs follows from `signs_from`.
CREATE TABLE signing_keys (
  kid         TEXT PRIMARY KEY,
  alg         TEXT NOT NULL,
  private_key BLOB NOT NULL,
  made_at     INTEGER NOT NULL,
  signs_from  INTEGER NOT NULL
) STRICT;
