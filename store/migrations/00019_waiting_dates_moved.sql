-- +goose Up
DROP TABLE quarantine;
ALTER TABLE waiting RENAME TO quarantine;
