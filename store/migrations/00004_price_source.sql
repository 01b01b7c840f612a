-- +goose Up
-- RTE's power exchange prices stand in for ENTSO-E's: both are kept, each under its source.
CREATE TABLE price_by_source (
  start         INTEGER NOT NULL,
  resolution    TEXT    NOT NULL,
  source        TEXT    NOT NULL CHECK (source IN ('ENTSO-E', 'RTE')),
  price         REAL    NOT NULL, -- EUR/MWh
  first_seen_ms INTEGER NOT NULL,
  changed_ms    INTEGER NOT NULL,
  PRIMARY KEY (start, resolution, source)
) STRICT, WITHOUT ROWID;
INSERT INTO price_by_source (start, resolution, source, price, first_seen_ms, changed_ms)
  SELECT start, resolution, 'ENTSO-E', price, first_seen_ms, changed_ms FROM day_ahead_price;
DROP TABLE day_ahead_price;
ALTER TABLE price_by_source RENAME TO day_ahead_price;
