-- +goose Up
-- A delivery date of prices that waits for a person's decision. What came is kept as it would be stored.
CREATE TABLE quarantine (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  dataset       TEXT    NOT NULL,
  delivery_date TEXT    NOT NULL,
  reason        TEXT    NOT NULL,
  prices        TEXT    NOT NULL, -- JSON: [[start, resolution, EUR/MWh], …]
  seen_ms       INTEGER NOT NULL,
  decision      TEXT    CHECK (decision IN ('accepted', 'rejected')),
  decided_ms    INTEGER,
  UNIQUE (dataset, delivery_date, prices)
) STRICT;
