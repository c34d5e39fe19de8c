-- Who lives here. `moved_to`: the file (its id) that everything was exported to at `moved_at`, for another database: no server starts on
-- this one after that. `rehearsal_at`: what is here came in by a rehearsal of a move, as it was then, and the old server went on: servers start
-- on it only if they are told so.
ALTER TABLE meta ADD COLUMN moved_at INTEGER;
ALTER TABLE meta ADD COLUMN moved_to TEXT;
ALTER TABLE meta ADD COLUMN rehearsal_at INTEGER;

-- A program that doesn't know of it would start on a database that has moved, or on a rehearsal's.
UPDATE meta SET schema = 12, compatible_from = 12;
