// Wire measures Courant's answers over the loopback with wrk, which runs in a process of its own.
//
//	cd docs/benchmarks/wire && go run .
//
// It compares the eight endpoints with a net/http server that writes the same bytes with no headers but type, length and
// coding; the 304 of a day of prices, as rows, with those of the eight; and 90 days of prices as JSON with the /csv of 31
// days, per row. Each comparison takes turns in every round. It prints a table in Markdown.
//
// With -beside PROGRAM the /csv is that of another build of Courant, with a database of its own.
//
// It needs Linux and wrk (apt-get install wrk). The servers are processes of their own, and have ended when it ends. It is a
// module of its own; where Courant's go.mod changes, run `go mod tidy` here.
package main
