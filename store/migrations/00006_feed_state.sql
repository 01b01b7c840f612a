-- +goose Up
-- How the feeds of a running service stand; empty while none runs.
CREATE TABLE feed_state (
  feed          TEXT    PRIMARY KEY,
  next_run_ms   INTEGER NOT NULL,
  open_until_ms INTEGER -- its circuit, or its source's, is open and tries again then; NULL: closed
) STRICT, WITHOUT ROWID;
