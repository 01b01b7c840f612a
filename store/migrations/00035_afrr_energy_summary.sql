-- +goose Up
-- The sums, numbers of values and extremes of each hour of 4 s steps, exact, so that means of hours, days and months need no
-- steps. A row is written with its hour, and stays when the steps are thinned. It is missing where an earlier version stored the
-- hour, until the next serve has made it, and while a part of the hour is in afrr_energy_bucket.
-- Sums and extremes are in millionths of the column's unit; _values counts the steps that have a value, _yes those at which a flag is true.
CREATE TABLE afrr_energy_summary (
  start                     INTEGER PRIMARY KEY, -- of the hour
  steps                     INTEGER NOT NULL,
  changed_ms                INTEGER NOT NULL, -- stamp of the last commit that changed the hour
  upward_price_sum          INTEGER NOT NULL,
  upward_price_values       INTEGER NOT NULL,
  upward_price_min          INTEGER,
  upward_price_max          INTEGER,
  downward_price_sum        INTEGER NOT NULL,
  downward_price_values     INTEGER NOT NULL,
  downward_price_min        INTEGER,
  downward_price_max        INTEGER,
  demand_mw_sum             INTEGER NOT NULL,
  demand_mw_values          INTEGER NOT NULL,
  demand_mw_min             INTEGER,
  demand_mw_max             INTEGER,
  for_france_mw_sum         INTEGER NOT NULL,
  for_france_mw_values      INTEGER NOT NULL,
  for_france_mw_min         INTEGER,
  for_france_mw_max         INTEGER,
  in_france_mw_sum          INTEGER NOT NULL,
  in_france_mw_values       INTEGER NOT NULL,
  in_france_mw_min          INTEGER,
  in_france_mw_max          INTEGER,
  picasso_connection_yes    INTEGER NOT NULL,
  picasso_connection_values INTEGER NOT NULL,
  prorata_mode_yes          INTEGER NOT NULL,
  prorata_mode_values       INTEGER NOT NULL
) STRICT;
