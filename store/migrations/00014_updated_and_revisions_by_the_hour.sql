-- +goose Up
-- When the source last wrote the row, as it says itself: the newest date that it has given, NULL if it never gave one.
ALTER TABLE capacity ADD COLUMN updated_ms INTEGER;
ALTER TABLE mfrr_energy ADD COLUMN updated_ms INTEGER;
