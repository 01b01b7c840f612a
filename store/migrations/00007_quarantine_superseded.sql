-- +goose Up
-- What waited may be overtaken by later prices of its delivery date.
CREATE TABLE waiting (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  dataset       TEXT    NOT NULL,
  delivery_date TEXT    NOT NULL,
  reason        TEXT    NOT NULL,
  prices        TEXT    NOT NULL, -- JSON: [[start, resolution, EUR/MWh], …]
  seen_ms       INTEGER NOT NULL,
  decision      TEXT    CHECK (decision IN ('accepted', 'rejected', 'superseded')),
  decided_ms    INTEGER,
  UNIQUE (dataset, delivery_date, prices)
) STRICT;
INSERT INTO waiting (id, dataset, delivery_date, reason, prices, seen_ms, decision, decided_ms)
  SELECT id, dataset, delivery_date, reason, prices, seen_ms, decision, decided_ms FROM quarantine;
DROP TABLE quarantine;
ALTER TABLE waiting RENAME TO quarantine;
