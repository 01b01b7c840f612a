package main

import (
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
)

const schema = `
CREATE TABLE price (hour_start_utc TEXT PRIMARY KEY, hour_end_utc TEXT NOT NULL, price_eur_mwh REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE token (hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;`

// load stores rows and the hash of a token, which it prints.
func load(db *sql.DB, in io.Reader, out io.Writer) error {
	var rows []row
	if err := json.NewDecoder(in).Decode(&rows); err != nil {
		return err
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec(schema); err != nil {
		return err
	}
	for _, r := range rows {
		if _, err := tx.Exec("INSERT INTO price VALUES (?, ?, ?)", r.Start, r.End, r.Price); err != nil {
			return err
		}
	}
	token := rand.Text()
	hash := sha256.Sum256([]byte(token))
	if _, err := tx.Exec("INSERT INTO token VALUES (?)", hash[:]); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, token)
	return err
}
