-- +goose Up
-- Secrets of links are kept as their SHA-256, as those of tokens and sessions are.

ALTER TABLE token ADD COLUMN last_used_ms INTEGER;

-- How often a token was used on a day in Paris.
CREATE TABLE token_use (
  token_id INTEGER NOT NULL REFERENCES token (id),
  day      TEXT    NOT NULL,
  requests INTEGER NOT NULL,
  PRIMARY KEY (token_id, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_use_by_day ON token_use (day);

-- Sessions of before hold too little to be listed: their owners sign in again.
DROP TABLE session;
CREATE TABLE session (
  hash       TEXT    PRIMARY KEY,
  data       BLOB    NOT NULL,
  seen_ms    INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_end ON session (expires_ms);
CREATE INDEX session_by_use ON session (seen_ms);

-- A link with which a person sets a password, once.
CREATE TABLE link (
  hash       BLOB    PRIMARY KEY,
  account_id INTEGER REFERENCES account (id), -- NULL: it makes the first administrator
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX link_of_account ON link (account_id);
CREATE INDEX link_by_end ON link (expires_ms);

CREATE TABLE audit (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms   INTEGER NOT NULL,
  event   TEXT    NOT NULL,
  actor   TEXT    NOT NULL, -- who did it: an address, command line, or nobody who is known
  subject TEXT    NOT NULL, -- to whom or what
  detail  TEXT    NOT NULL,
  origin  TEXT    NOT NULL  -- the network address that it came from; empty: this machine
) STRICT;
CREATE INDEX audit_by_time ON audit (at_ms);
