-- +goose Up
-- The commits that changed what is served, in their order. Positions order commits; clocks do not. Each commit has a stamp of
-- its own, and first_seen_ms, changed_ms, seen_ms and since_ms of what it stored are that stamp.
CREATE TABLE market_commit (
  position  INTEGER PRIMARY KEY,
  stamp_ms  INTEGER NOT NULL UNIQUE,
  latest_ms INTEGER NOT NULL -- the latest stamp of this commit and those before; later than stamp_ms if a clock went back
) STRICT;
CREATE INDEX market_commit_set_back ON market_commit (position) WHERE stamp_ms < latest_ms;
INSERT INTO market_commit (position, stamp_ms, latest_ms)
  SELECT row_number() OVER (ORDER BY stamp), stamp, stamp FROM (
    SELECT first_seen_ms AS stamp FROM day_ahead_price UNION SELECT changed_ms FROM day_ahead_price
    UNION SELECT first_seen_ms FROM capacity UNION SELECT changed_ms FROM capacity
    UNION SELECT first_seen_ms FROM mfrr_energy UNION SELECT changed_ms FROM mfrr_energy
    UNION SELECT since_ms FROM revision UNION SELECT seen_ms FROM revision
    UNION SELECT json_extract(run.value, '$.first_seen_ms') FROM afrr_energy_hour, json_each(runs) AS run
    UNION SELECT seen_ms FROM afrr_energy_revision);

-- The newest commit that changed a dataset.
CREATE TABLE dataset_commit (
  dataset  TEXT    PRIMARY KEY,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO dataset_commit (dataset, position)
  SELECT dataset, (SELECT max(position) FROM market_commit) FROM coverage WHERE EXISTS (SELECT 1 FROM market_commit) GROUP BY dataset;

-- What the commits of the last 7 days changed: periods that start from first_start to last_start, seconds UTC, of a delivery date.
CREATE TABLE change (
  position      INTEGER NOT NULL,
  dataset       TEXT    NOT NULL,
  delivery_date TEXT    NOT NULL,
  first_start   INTEGER NOT NULL,
  last_start    INTEGER NOT NULL,
  rows          INTEGER NOT NULL, -- new, changed or thinned, as they are served
  PRIMARY KEY (position, dataset, delivery_date)
) STRICT, WITHOUT ROWID;

-- The position from which on what is stored of a delivery date whose 4 s steps were thinned is as it was: what was known before is lost.
CREATE TABLE thinned_date (
  delivery_date TEXT    PRIMARY KEY,
  position      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO thinned_date (delivery_date, position)
  SELECT delivery_date, ifnull((SELECT max(position) FROM market_commit), 0) FROM coverage WHERE dataset = 'afrr-energy' AND series = 'PT5M';

-- With the stamp, revisions after a commit are found without reading the others.
DROP INDEX afrr_energy_revision_of_hour;
CREATE INDEX afrr_energy_revision_of_hour ON afrr_energy_revision (hour, seen_ms);
