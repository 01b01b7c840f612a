-- +goose Up
-- The newest runs that asked for a dataset, as ids of feed_run, so that nobody has to look for them among all.
CREATE TABLE newest_run (
  dataset TEXT    NOT NULL,
  feed    TEXT    NOT NULL,
  ended   INTEGER NOT NULL, -- however it did
  success INTEGER,          -- that refused nothing of the dataset
  change  INTEGER,          -- that changed a row
  PRIMARY KEY (dataset, feed)
) STRICT, WITHOUT ROWID;
INSERT INTO newest_run (dataset, feed, ended, success, change)
  SELECT dataset, feed, max(id),
    max(CASE WHEN outcome IN ('ok', 'partial') AND NOT EXISTS (SELECT 1 FROM refusal WHERE run_id = id) THEN id END),
    max(CASE WHEN rows_changed > 0 THEN id END)
  FROM feed_run GROUP BY dataset, feed;
