package main

import (
	"context"
	"errors"
	"time"
)

// results are those of each server, Courant's first.
type results []*result

// result is what was measured of a server, an element a round.
type result struct {
	server *server
	loads  []*loads
	start  []float64 // seconds from the start of the process to the whole document
	idle   []float64 // bytes in memory then
	most   []float64 // bytes in memory, the most by the end of all loads
}

// loads are those of one way and one coding.
type loads struct {
	way    way
	coding string
	length counter // of a document
	rate   []float64
	p99    []float64
}

func newResults(servers []*server) results {
	var all results
	for _, s := range servers {
		r := &result{server: s}
		for _, w := range s.ways {
			r.loads = append(r.loads, &loads{way: w, coding: identity}, &loads{way: w, coding: gzipped})
		}
		all = append(all, r)
	}
	return all
}

// turn starts the server, puts it under each of its loads, and stops it.
func (r *result) turn(ctx context.Context, rows []row, o options) error {
	begun := time.Now()
	p, err := r.server.start()
	if err != nil {
		return err
	}
	defer p.stop()
	bodies, err := p.firstAnswer(ctx, r.server)
	if err != nil {
		return err
	}
	r.start = append(r.start, time.Since(begun).Seconds())
	idle, err := p.memory("VmRSS")
	if err != nil {
		return err
	}
	r.idle = append(r.idle, idle)
	if err := errors.Join(r.server.ways[0].check(bodies, rows), turnsAway(ctx, r.server)); err != nil {
		return err
	}
	for _, l := range r.loads {
		m, err := load(ctx, r.server, l.way, l.coding, rows, o)
		if err != nil {
			return err
		}
		l.length, l.rate, l.p99 = m.length, append(l.rate, m.rate), append(l.p99, m.p99)
	}
	most, err := p.memory("VmHWM")
	r.most = append(r.most, most)
	return err
}
