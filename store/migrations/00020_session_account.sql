-- +goose Up
-- A session knows its account, so that an account's sessions can be counted and ended. The next migration moves those
-- that are there.

DROP INDEX session_by_end;
DROP INDEX session_by_use;
ALTER TABLE session RENAME TO session_before;

CREATE TABLE session (
  hash       TEXT    PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES account (id),
  data       BLOB    NOT NULL,
  seen_ms    INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_of_account ON session (account_id, seen_ms);
CREATE INDEX session_by_end ON session (expires_ms);
CREATE INDEX session_by_use ON session (seen_ms);
