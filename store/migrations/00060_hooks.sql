-- +goose Up
-- What an account is notified of: at the address of a webhook, or by mail to the account.
CREATE TABLE hook (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id    INTEGER NOT NULL REFERENCES account (id),
  url           TEXT    NOT NULL, -- empty: by mail
  events        TEXT    NOT NULL, -- JSON, as server/hooks writes it
  description   TEXT    NOT NULL,
  language      TEXT    NOT NULL, -- of mails
  secret        TEXT    NOT NULL, -- signs deliveries, so it is readable
  former_secret TEXT    NOT NULL, -- signs them too until former_until_ms; empty: none
  former_until_ms INTEGER,
  since         INTEGER NOT NULL, -- the newest position when it was made: later commits are looked at
  created_ms    INTEGER NOT NULL,
  disabled_ms   INTEGER,
  disabled_why  TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX hook_of_account ON hook (account_id);

-- What is sent, or was, to a hook.
CREATE TABLE hook_delivery (
  number      INTEGER PRIMARY KEY AUTOINCREMENT,
  id          TEXT    NOT NULL UNIQUE, -- webhook-id, the same at each attempt
  hook_id     INTEGER NOT NULL REFERENCES hook (id),
  type        TEXT    NOT NULL,
  dataset     TEXT    NOT NULL, -- that the owner must be allowed to read; empty: none
  body        BLOB    NOT NULL,
  created_ms  INTEGER NOT NULL,
  next_ms     INTEGER, -- the next attempt; NULL: there is none
  outcome     TEXT    NOT NULL CHECK (outcome IN ('waiting', 'delivered', 'failed', 'refused')),
  attempts    INTEGER NOT NULL DEFAULT 0,
  tried_ms    INTEGER,
  status      INTEGER NOT NULL DEFAULT 0, -- of the newest answer; 0: there was none
  fault       TEXT    NOT NULL DEFAULT '' -- of the newest attempt
) STRICT;
CREATE INDEX hook_delivery_of_hook ON hook_delivery (hook_id, number);
CREATE INDEX hook_delivery_due ON hook_delivery (hook_id, next_ms) WHERE next_ms IS NOT NULL;
CREATE INDEX hook_delivery_by_age ON hook_delivery (created_ms);

-- The newest answer to the condition of a hook on a delivery date: a hash of the periods that fulfil it.
CREATE TABLE hook_answer (
  hook_id       INTEGER NOT NULL REFERENCES hook (id),
  event         INTEGER NOT NULL, -- its place among the hook's events
  delivery_date TEXT    NOT NULL,
  answer        BLOB    NOT NULL,
  PRIMARY KEY (hook_id, event, delivery_date)
) STRICT, WITHOUT ROWID;

-- The commit up to which conditions were judged.
CREATE TABLE hook_position (
  one      INTEGER PRIMARY KEY CHECK (one = 1),
  position INTEGER NOT NULL
) STRICT;

-- Whether a dataset was last announced as late, and since when it has not been well.
CREATE TABLE hook_lateness (
  dataset   TEXT    PRIMARY KEY,
  is_late   INTEGER NOT NULL,
  unwell_ms INTEGER -- NULL: it is well
) STRICT, WITHOUT ROWID;
