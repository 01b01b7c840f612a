-- +goose Up
-- When the source last wrote the row, as it says itself: the newest date that it has given, NULL if it never gave one.
ALTER TABLE capacity ADD COLUMN updated_ms INTEGER;
ALTER TABLE mfrr_energy ADD COLUMN updated_ms INTEGER;

-- What each commit changed of an hour of 4 s steps; revised_hour.go says how. What lay in rows of revision is moved in version
-- 15; those of the other datasets stay there.
CREATE TABLE afrr_energy_revision (
  id       INTEGER PRIMARY KEY, -- ascends with the commits of an hour
  hour     INTEGER NOT NULL, -- its start
  seen_ms  INTEGER NOT NULL, -- from when on the new values are current
  steps    INTEGER NOT NULL, -- how many changed
  checksum INTEGER NOT NULL, -- CRC-32C
  runs     TEXT    NOT NULL, -- JSON: which steps, run by run: [second of the hour, steps 4 s apart, bits of the columns]
  changes  BLOB    NOT NULL  -- column after column: the old numbers, the new ones, since when the old ones were current
) STRICT;
CREATE INDEX afrr_energy_revision_of_hour ON afrr_energy_revision (hour);
