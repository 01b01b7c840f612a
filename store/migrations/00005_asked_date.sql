-- +goose Up
-- What the runs of a feed that asked for a delivery date say of it.
CREATE TABLE asked_date (
  feed          TEXT    NOT NULL,
  dataset       TEXT    NOT NULL,
  delivery_date TEXT    NOT NULL,
  outcome       TEXT    NOT NULL, -- of the newest run
  refused       INTEGER NOT NULL, -- whether that run refused the date
  answered_ms   INTEGER,          -- end of the newest run that took what the source said
  same_since_ms INTEGER,          -- end of the first of the runs since which that was the same
  whole_ms      INTEGER,          -- start of the newest run that took the whole date, once it was over
  PRIMARY KEY (dataset, delivery_date, feed)
) STRICT, WITHOUT ROWID;

-- A window begins and ends at midnight in Paris, 22:00 or 23:00 UTC, or within a date.
INSERT INTO asked_date (feed, dataset, delivery_date, outcome, refused)
  WITH RECURSIVE asked (id, feed, dataset, outcome, date, last) AS (
    SELECT id, feed, dataset, outcome, date(window_start + 7200, 'unixepoch'), date(window_end + 3599, 'unixepoch') FROM feed_run
    UNION ALL
    SELECT id, feed, dataset, outcome, date(date, '+1 day'), last FROM asked WHERE date < last
  )
  SELECT feed, dataset, date, outcome, EXISTS (SELECT 1 FROM refusal WHERE run_id = id AND delivery_date = date)
  FROM (SELECT max(id) AS id, feed, dataset, outcome, date FROM asked GROUP BY feed, dataset, date);
