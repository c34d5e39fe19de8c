-- Files of bindings that are on their way in. `position` is in bytes; `note` is the importer's own: its counts, and how long
-- its report is.
CREATE TABLE imports (
  file     BLOB PRIMARY KEY,
  position INTEGER NOT NULL,
  note     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
