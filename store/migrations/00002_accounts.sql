-- +goose Up
-- A password is kept as an Argon2id hash; a token and a session id as their SHA-256.

CREATE TABLE account (
  id            INTEGER PRIMARY KEY,
  email         TEXT    NOT NULL UNIQUE, -- lower case
  password_hash TEXT    NOT NULL,
  role          TEXT    NOT NULL CHECK (role IN ('administrator', 'member')),
  epoch         INTEGER NOT NULL, -- a session is good for the epoch in which it began
  created_ms    INTEGER NOT NULL,
  disabled_ms   INTEGER
) STRICT;

CREATE TABLE token (
  id         INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES account (id),
  name       TEXT    NOT NULL,
  prefix     TEXT    NOT NULL, -- the first 12 characters
  hash       BLOB    NOT NULL UNIQUE,
  datasets   TEXT    NOT NULL, -- comma-separated; empty: all
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER,
  revoked_ms INTEGER
) STRICT;

CREATE TABLE session (
  hash       TEXT    PRIMARY KEY,
  data       BLOB    NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_end ON session (expires_ms);

CREATE TABLE subscription (
  account_id INTEGER PRIMARY KEY REFERENCES account (id),
  offer      TEXT    NOT NULL, -- an id of the configuration's offers
  start_ms   INTEGER NOT NULL,
  end_ms     INTEGER           -- NULL: without end
) STRICT;
