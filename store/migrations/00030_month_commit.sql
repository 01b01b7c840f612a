-- +goose Up
-- The newest commit that changed a month of delivery dates of a dataset, so that files of whole months are written again only if
-- they would differ. Of commits before this table, it is taken to be the newest one of the dataset.
CREATE TABLE month_commit (
  dataset  TEXT    NOT NULL,
  month    TEXT    NOT NULL, -- YYYY-MM, in Paris
  position INTEGER NOT NULL,
  PRIMARY KEY (dataset, month)
) STRICT, WITHOUT ROWID;
INSERT INTO month_commit (dataset, month, position)
  SELECT DISTINCT coverage.dataset, substr(delivery_date, 1, 7), position FROM coverage JOIN dataset_commit USING (dataset);
