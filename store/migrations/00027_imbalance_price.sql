-- +goose Up
CREATE TABLE imbalance_price (
  start          INTEGER PRIMARY KEY, -- of a quarter hour
  positive_price REAL,                -- EUR/MWh
  negative_price REAL,                -- EUR/MWh
  imbalance_mwh  REAL,
  system_trend   TEXT,                -- UPWARD or DOWNWARD
  status         TEXT,                -- provisional, validated or settled
  updated_ms     INTEGER,             -- when the source last wrote the row, as it says itself
  missing_data   TEXT,
  first_seen_ms  INTEGER NOT NULL,
  changed_ms     INTEGER NOT NULL
) STRICT;
