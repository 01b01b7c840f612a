package main

import (
	"context"
	"encoding/json"
	"path/filepath"
)

// makePlain builds the plain handler and stores the rows for it.
func makePlain(ctx context.Context, folder string, rows []row) (*server, error) {
	s, err := makeLoaded(ctx, "plain", folder, rows)
	if err != nil {
		return nil, err
	}
	s.name = "plain Go and SQLite"
	s.command = append(s.command, "serve", s.addr)
	s.ways = []way{{"its endpoint", []string{pricesPath}, rowsAt("rows")}}
	return s, nil
}

// makeLoaded builds the server whose package lies in source and has its command `load` store the rows in folder. That
// prints the token.
func makeLoaded(ctx context.Context, source, folder string, rows []row) (*server, error) {
	binary := filepath.Join(folder, source)
	bytes, err := build(ctx, "./"+source, binary)
	if err != nil {
		return nil, err
	}
	stdin, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	token, err := output(ctx, folder, nil, stdin, binary, "load")
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	return &server{folder: folder, command: []string{binary}, addr: addr, token: token, bytes: bytes}, err
}
