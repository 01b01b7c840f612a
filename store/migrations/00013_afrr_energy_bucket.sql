-- +goose Up
-- What is kept for ever of delivery dates whose 4 s steps are no longer kept: one row for each 5 min that held a step. A mean
-- has two decimals and is null where no step had a number; the column with _values says how many had one. Where these stand,
-- coverage counts the steps under the series PT5M.
CREATE TABLE afrr_energy_bucket (
  start                 INTEGER PRIMARY KEY, -- of the 5 min
  steps                 INTEGER NOT NULL, -- 4 s steps that the row is made of
  upward_price          REAL, -- EUR/MWh
  upward_price_values   INTEGER NOT NULL,
  downward_price        REAL, -- EUR/MWh
  downward_price_values INTEGER NOT NULL,
  demand_mw             REAL,
  demand_values         INTEGER NOT NULL,
  for_france_mw         REAL,
  for_france_values     INTEGER NOT NULL,
  in_france_mw          REAL,
  in_france_values      INTEGER NOT NULL,
  picasso_yes           INTEGER NOT NULL, -- steps at which picasso_connection was so; no flag at those that are left
  picasso_no            INTEGER NOT NULL,
  prorata_yes           INTEGER NOT NULL,
  prorata_no            INTEGER NOT NULL
) STRICT;
