-- +goose Up
-- The feeds whose runs are under way, and those in whose runs a service was killed; empty after an ordinary stop.
CREATE TABLE feed_under_way (
  feed     TEXT    PRIMARY KEY,
  since_ms INTEGER,                   -- start of the runs that are under way; NULL: none is
  kills    INTEGER NOT NULL DEFAULT 0 -- of services since the feed's runs last came to an end
) STRICT, WITHOUT ROWID;
