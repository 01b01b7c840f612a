// Package lake writes the rows of datasets as files, one for each month of delivery dates, in a folder or in a bucket of an
// S3-compatible store, under names that engines read as Hive partitions: dataset=<id>/year=<YYYY>/month=<MM>/part.parquet.
//
// The bytes of a file depend only on the rows: it is of the newest commit that changed its month. What is already up to date is
// known from a manifest for each dataset, _courant/<id>.json, so that only what changed is written again. Each file is written
// whole under another name before it gets its own.
package lake
