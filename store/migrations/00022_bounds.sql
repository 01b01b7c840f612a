-- +goose Up
-- What the bounds on what an account makes are found by.

CREATE INDEX token_of_account ON token (account_id);
CREATE INDEX token_unrevoked ON token (account_id) WHERE revoked_ms IS NULL;
CREATE INDEX token_by_prefix ON token (prefix);
CREATE INDEX audit_of_actor ON audit (actor, event, at_ms);

-- How many more events like this one its actor made on that day, which have no line of their own.
ALTER TABLE audit ADD COLUMN more INTEGER NOT NULL DEFAULT 0;

-- When old rows were last looked for, and since when that was done without a gap.
CREATE TABLE sweep (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  at_ms        INTEGER NOT NULL,
  unbroken_ms  INTEGER NOT NULL
) STRICT;
