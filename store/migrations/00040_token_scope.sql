-- +goose Up
-- What a token opens, beside the limit to datasets: '' the API; 'feeds' the price feeds alone, where it may stand in the address.
ALTER TABLE token ADD COLUMN scope TEXT NOT NULL DEFAULT '';
