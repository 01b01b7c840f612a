-- +goose Up
-- What a text was before, and is from then on; old and new are NULL then.
ALTER TABLE revision ADD COLUMN old_text TEXT;
ALTER TABLE revision ADD COLUMN new_text TEXT;
