package main

import (
	"context"
	"path/filepath"
	"time"

	"courant/ingest/simulator"
)

// The delivery dates of the document: 29, of 24 hours each.
const (
	firstDate  = "2026-01-05"
	latestDate = "2026-02-02"
)

const (
	repository = "../../.."
	pricesPath = "/api/day-ahead-prices"
)

// makeCourant builds Courant, has it fetch simulated prices, and returns them beside it.
func makeCourant(ctx context.Context, folder string) (*server, []row, error) {
	binary := filepath.Join(folder, "courant")
	bytes, err := build(ctx, repository, binary)
	if err != nil {
		return nil, nil, err
	}
	sources, err := simulator.Start(simulator.Options{})
	if err != nil {
		return nil, nil, err
	}
	defer sources.Close()
	addr, err := freeAddr()
	if err != nil {
		return nil, nil, err
	}
	s := &server{
		name: "Courant", folder: folder, command: []string{binary, "serve"}, addr: addr, bytes: bytes,
		env: []string{
			"COURANT_SERVER_ADDR=" + addr,
			"COURANT_DATABASE_PATH=" + filepath.Join(folder, "courant.db"),
			"COURANT_ENTSOE_BASE_URL=" + sources.ENTSOEURL,
			"COURANT_ENTSOE_SECURITY_TOKEN=" + simulator.SecurityToken,
			"COURANT_INGEST_ENABLED=false",
			"COURANT_API_RATE_LIMIT_PER_MINUTE=1000000",
			"COURANT_LOG_LEVEL=warn",
		},
		ways: []way{{"its endpoint", []string{pricesPath}, rowsAt("rows")}},
	}
	const email = "peer@courant.example"
	for _, step := range []struct {
		args  []string
		stdin string
	}{
		{[]string{"fetch", "day-ahead-prices", "--from", firstDate, "--to", latestDate}, ""},
		{[]string{"user", "add", email, "--password-stdin"}, time.Now().String()},
		{[]string{"token", "create", email, "--name", "peers"}, ""},
	} {
		s.token, err = output(ctx, folder, s.env, []byte(step.stdin), append([]string{binary}, step.args...)...)
		if err != nil {
			return nil, nil, err
		}
	}
	rows, err := s.rows(ctx)
	return s, rows, err
}

// rows starts the server once to read the rows that it serves.
func (s *server) rows(ctx context.Context) ([]row, error) {
	p, err := s.start()
	if err != nil {
		return nil, err
	}
	defer p.stop()
	bodies, err := p.firstAnswer(ctx, s)
	if err != nil {
		return nil, err
	}
	return s.ways[0].rows(bodies[0])
}
