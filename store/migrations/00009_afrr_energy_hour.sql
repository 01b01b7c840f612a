-- +goose Up
-- The 4 s steps lie by the hour; hour.go says how the numbers are written. What lay in rows is moved in version 10.
ALTER TABLE afrr_energy RENAME TO afrr_energy_row;
CREATE TABLE afrr_energy_hour (
  start    INTEGER PRIMARY KEY, -- of the hour
  rows     INTEGER NOT NULL,
  checksum INTEGER NOT NULL, -- CRC-32C
  decimals TEXT    NOT NULL, -- JSON: of each number column; null: it holds the bits of each float64
  numbers  BLOB    NOT NULL, -- column after column: LEB128; 0 is a null, else zigzag of the difference to the last, + 1
  runs     TEXT    NOT NULL  -- JSON: where the rows lie, their flags and when they were first seen, run by run
) STRICT;
