-- Which schema this is, and the oldest whose programs work on it too. Every migration says both anew, as its last statement: what
-- says nothing is taken for one that older programs don't work on.
ALTER TABLE meta ADD COLUMN schema bigint NOT NULL DEFAULT 0;
ALTER TABLE meta ADD COLUMN compatible_from bigint NOT NULL DEFAULT 0;
UPDATE meta SET schema = 2, compatible_from = 2;
