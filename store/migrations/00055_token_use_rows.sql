-- +goose Up
-- Rows of the answers to a token on a day, and bytes of their bodies as they were sent. Days before this count none.
ALTER TABLE token_use ADD COLUMN row_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE token_use ADD COLUMN byte_count INTEGER NOT NULL DEFAULT 0;
