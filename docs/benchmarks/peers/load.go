package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// warmUp is how long a load runs before it is measured.
const warmUp = time.Second

var errOtherLength = errors.New("a document of another length than the first")

// measured is what one load gave.
type measured struct {
	length counter // of a document
	rate   float64 // documents a second
	p99    float64 // seconds, of a whole document
}

// load asks for whole documents over all connections at once, for o.span and until those under way have come. Each is of the
// length of one that was checked row by row.
func load(ctx context.Context, s *server, w way, coding string, rows []row, o options) (measured, error) {
	connections := make([]*connection, o.connections)
	for i := range connections {
		c, err := dial(ctx, s, coding)
		if err != nil {
			return measured{}, err
		}
		defer c.close()
		connections[i] = c
	}
	bodies, err := connections[0].document(w)
	if err == nil {
		err = w.check(bodies, rows)
	}
	if err != nil {
		return measured{}, err
	}
	length, err := connections[0].transfer(w, nil)
	if err != nil {
		return measured{}, err
	}
	if _, err := ask(connections, w, length, warmUp); err != nil {
		return measured{}, fmt.Errorf("%s, %s: %w", w.name, coding, err)
	}
	begun := time.Now()
	times, err := ask(connections, w, length, o.span)
	took := time.Since(begun)
	if err != nil {
		return measured{}, fmt.Errorf("%s, %s: %w", w.name, coding, err)
	}
	slices.Sort(times)
	return measured{
		length: length,
		rate:   float64(len(times)) / took.Seconds(),
		p99:    times[(len(times)*99+99)/100-1].Seconds(),
	}, nil
}

// ask has each connection ask for one document after the other, and returns how long each took.
func ask(connections []*connection, w way, length counter, span time.Duration) ([]time.Duration, error) {
	end := time.Now().Add(span)
	times, faults := make([][]time.Duration, len(connections)), make([]error, len(connections))
	var asking sync.WaitGroup
	for i, c := range connections {
		asking.Go(func() {
			buffer := make([]byte, 64<<10)
			for time.Now().Before(end) && faults[i] == nil {
				begun := time.Now()
				got, err := c.transfer(w, buffer)
				times[i] = append(times[i], time.Since(begun))
				if err == nil && got != length {
					err = errOtherLength
				}
				faults[i] = err
			}
		})
	}
	asking.Wait()
	return slices.Concat(times...), cmp.Or(faults...) // the first fault tells enough
}
