-- +goose Up
-- A delivery date of any dataset that waits for a person's decision. What came is kept as it would be stored, until it is
-- decided; its digest is kept for as long as the same content may come again.
CREATE TABLE waiting (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  dataset       TEXT    NOT NULL,
  delivery_date TEXT    NOT NULL,
  kind          TEXT    NOT NULL CHECK (kind IN ('flat', 'changed', 'withdrawn', 'refused')),
  reason        TEXT    NOT NULL, -- what is odd about it, or why it was refused
  digest        BLOB    NOT NULL, -- SHA-256 of the keys and values of its rows
  content       BLOB,             -- the rows: JSON by columns, zstd; NULL once it is decided
  seen_ms       INTEGER NOT NULL,
  decision      TEXT    CHECK (decision IN ('accepted', 'rejected')),
  decided_ms    INTEGER,
  UNIQUE (dataset, delivery_date, digest)
) STRICT;
-- No ID is given twice.
INSERT INTO sqlite_sequence (name, seq) SELECT 'waiting', seq FROM sqlite_sequence WHERE name = 'quarantine';
