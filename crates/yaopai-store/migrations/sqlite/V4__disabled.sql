-- Since when a user is disabled. Such a one has no live session.
ALTER TABLE users ADD COLUMN disabled_at INTEGER;
