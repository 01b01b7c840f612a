// Peers compares Courant's /api/day-ahead-prices with other ways to serve the same rows as JSON over HTTP to who has a token:
// PocketBase, json-server, and a plain handler in Go that reads SQLite at each request.
//
//	cd docs/benchmarks/peers && go run .
//
// It builds and starts each server as a process of its own with a folder of its own, one at a time and in turns, asks it over kept
// connections on the loopback, and prints tables in Markdown. All that it started has ended and all its folders are gone when
// it ends. It needs Linux, whose /proc tells the memory of a process, and npm for json-server.
//
// It is a module of its own, so that Courant depends on none of this. Where Courant's go.mod changes, `go mod tidy` here.
package main
