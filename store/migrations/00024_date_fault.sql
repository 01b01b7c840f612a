-- +goose Up
-- What keeps a delivery date from having been read well. It stays until a run reads all of its window without a fault.
ALTER TABLE asked_date ADD COLUMN fault TEXT CHECK (fault IN ('refused', 'failed', 'declined', 'omitted')); -- NULL: none
ALTER TABLE asked_date ADD COLUMN fault_start INTEGER;  -- of the window, seconds UTC
ALTER TABLE asked_date ADD COLUMN fault_end INTEGER;
ALTER TABLE asked_date ADD COLUMN fault_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE asked_date ADD COLUMN fault_runs INTEGER NOT NULL DEFAULT 0;  -- in a row that did not read the date well
ALTER TABLE asked_date ADD COLUMN fault_steps INTEGER NOT NULL DEFAULT 0; -- that were left out

-- The hour around noon lies within every delivery date, and not within its last half hour, which is read again most often.
-- Dates that are not over are read again in a moment.
UPDATE asked_date SET
  fault = CASE WHEN refused AND outcome = 'ok' THEN 'declined' WHEN refused THEN 'refused' ELSE 'failed' END,
  fault_start = unixepoch(delivery_date || ' 11:00'), fault_end = unixepoch(delivery_date || ' 12:00'), fault_runs = 2,
  fault_reason = coalesce((SELECT error FROM newest_run JOIN feed_run ON feed_run.id = ended
    WHERE newest_run.dataset = asked_date.dataset AND newest_run.feed = asked_date.feed AND error <> ''), 'an earlier version told no reason')
  WHERE (refused OR outcome = 'failed') AND delivery_date < date('now');
ALTER TABLE asked_date DROP COLUMN outcome;
ALTER TABLE asked_date DROP COLUMN refused;
CREATE INDEX asked_date_by_fault ON asked_date (dataset, delivery_date) WHERE fault IS NOT NULL;

-- How far the clock of this machine is off from those of the sources, by the Date header of their newest answers.
CREATE TABLE source_clock (
  host      TEXT    PRIMARY KEY,
  ahead_ms  INTEGER NOT NULL, -- this machine's clock less the source's
  agreeing  INTEGER NOT NULL, -- how many runs in a row have met about the same
  read_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The error of a dataset is that of its delivery dates, so nobody asks for its newest run any more.
ALTER TABLE newest_run DROP COLUMN ended;
