-- +goose Up
-- Periods are seconds UTC, instants of Courant's own (columns in _ms) are milliseconds UTC, values are as published.

CREATE TABLE day_ahead_price (
  start         INTEGER NOT NULL,
  resolution    TEXT    NOT NULL,
  price         REAL    NOT NULL, -- EUR/MWh
  first_seen_ms INTEGER NOT NULL,
  changed_ms    INTEGER NOT NULL,
  PRIMARY KEY (start, resolution)
) STRICT, WITHOUT ROWID;

CREATE TABLE capacity (
  dataset       TEXT    NOT NULL,
  start         INTEGER NOT NULL,
  direction     TEXT    NOT NULL,
  time_horizon  TEXT    NOT NULL,
  product       TEXT    NOT NULL, -- RTE's product_type
  offered_mw    REAL,
  contracted_mw REAL,
  price         REAL,             -- EUR/MW for the 15 min
  first_seen_ms INTEGER NOT NULL,
  changed_ms    INTEGER NOT NULL,
  PRIMARY KEY (start, dataset, direction, time_horizon, product)
) STRICT, WITHOUT ROWID;

CREATE TABLE afrr_energy (
  start              INTEGER PRIMARY KEY,
  upward_price       REAL, -- EUR/MWh
  downward_price     REAL, -- EUR/MWh
  demand_mw          REAL,
  for_france_mw      REAL,
  in_france_mw       REAL,
  picasso_connection INTEGER,
  prorata_mode       INTEGER,
  first_seen_ms      INTEGER NOT NULL,
  changed_ms         INTEGER NOT NULL
) STRICT;

CREATE TABLE mfrr_energy (
  start                     INTEGER NOT NULL,
  direction                 TEXT    NOT NULL,
  clearing_price            REAL, -- EUR/MWh
  settlement_price_current  REAL, -- EUR/MWh
  settlement_price_previous REAL, -- EUR/MWh
  requested_volume_sa_mw    REAL,
  requested_volume_da_mw    REAL,
  satisfied_need_sa_mw      REAL,
  satisfied_need_da_mw      REAL,
  activated_volume_sa_mw    REAL,
  activated_volume_da_mw    REAL,
  submitted_offers_mw       REAL,
  filtered_offers_mw        REAL,
  first_seen_ms             INTEGER NOT NULL,
  changed_ms                INTEGER NOT NULL,
  PRIMARY KEY (start, direction)
) STRICT, WITHOUT ROWID;

-- What a value was before: old was current from since_ms to seen_ms, new from seen_ms on.
CREATE TABLE revision (
  id          INTEGER PRIMARY KEY,
  dataset     TEXT    NOT NULL,
  start       INTEGER NOT NULL,
  series      TEXT    NOT NULL,
  column_name TEXT    NOT NULL,
  old         REAL,
  new         REAL,
  since_ms    INTEGER NOT NULL,
  seen_ms     INTEGER NOT NULL
) STRICT;
CREATE INDEX revision_of_value ON revision (dataset, start, series, column_name, seen_ms);

-- How many native rows are held of each series of a delivery date.
CREATE TABLE coverage (
  dataset       TEXT    NOT NULL,
  delivery_date TEXT    NOT NULL,
  series        TEXT    NOT NULL,
  rows          INTEGER NOT NULL,
  newest_start  INTEGER NOT NULL,
  PRIMARY KEY (dataset, delivery_date, series)
) STRICT, WITHOUT ROWID;

-- One row for each dataset that a run of a feed asked for.
CREATE TABLE feed_run (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  feed         TEXT    NOT NULL,
  dataset      TEXT    NOT NULL,
  window_start INTEGER NOT NULL,
  window_end   INTEGER NOT NULL,
  started_ms   INTEGER NOT NULL,
  ended_ms     INTEGER NOT NULL,
  outcome      TEXT    NOT NULL CHECK (outcome IN ('ok', 'partial', 'failed', 'interrupted')),
  rows_seen    INTEGER NOT NULL,
  rows_changed INTEGER NOT NULL,
  bytes        INTEGER NOT NULL,
  error        TEXT    NOT NULL
) STRICT;
CREATE INDEX feed_run_of_dataset ON feed_run (dataset, id);

-- The delivery dates of which a run refused what the source said.
CREATE TABLE refusal (
  run_id        INTEGER NOT NULL REFERENCES feed_run (id),
  delivery_date TEXT    NOT NULL,
  reason        TEXT    NOT NULL,
  PRIMARY KEY (run_id, delivery_date)
) STRICT, WITHOUT ROWID;

-- A fetch that has not ended, and the windows it has finished, so that the same fetch can go on from there.
CREATE TABLE fetch (
  id         INTEGER PRIMARY KEY,
  feed       TEXT    NOT NULL,
  first_date TEXT    NOT NULL,
  last_date  TEXT    NOT NULL,
  started_ms INTEGER NOT NULL,
  UNIQUE (feed, first_date, last_date)
) STRICT;

CREATE TABLE fetch_window (
  fetch_id     INTEGER NOT NULL REFERENCES fetch (id) ON DELETE CASCADE,
  window_start INTEGER NOT NULL,
  PRIMARY KEY (fetch_id, window_start)
) STRICT, WITHOUT ROWID;
