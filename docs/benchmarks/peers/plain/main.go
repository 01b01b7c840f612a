// Plain serves rows of SQLite as JSON, as a handler is written first: each request asks the database for its token and for the
// rows, and encodes them. Nothing is kept between requests.
//
//	plain load          stores the rows of stdin in plain.db, and prints a token
//	plain serve ADDR
package main

import (
	"database/sql"
	"fmt"
	"log"
	"net/http"
	"os"

	_ "modernc.org/sqlite"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(args []string) error {
	db, err := sql.Open("sqlite", "file:plain.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	if err != nil {
		return err
	}
	defer db.Close()
	switch {
	case len(args) == 1 && args[0] == "load":
		return load(db, os.Stdin, os.Stdout)
	case len(args) == 2 && args[0] == "serve":
		h, err := newHandler(db)
		if err != nil {
			return err
		}
		return http.ListenAndServe(args[1], h)
	}
	return fmt.Errorf("usage: plain load | plain serve ADDR")
}
