-- +goose Up
-- Whether the commit has completed the delivery date: every period of it can be served since then.
ALTER TABLE change ADD COLUMN completed INTEGER NOT NULL DEFAULT 0;
