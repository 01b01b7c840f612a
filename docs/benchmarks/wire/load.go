package main

import (
	"context"
	"fmt"
	"math"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// load is one kind of request to one server.
type load struct {
	*process
	path    string
	headers map[string]string
	status  int
	rows    int // in an answer; 0: rows are not counted

	perSecond []float64 // requests a second, by round
}

// prepare gives the load a token of its own, whose rate limit it cannot use up, and makes the first request.
func (l *load) prepare(ctx context.Context) (*answer, error) {
	if l.token != nil {
		token, err := l.token()
		if err != nil {
			return nil, err
		}
		l.headers["Authorization"] = "Bearer " + token
	}
	first, err := l.ask(ctx, l.path, l.headers)
	if err == nil && first.status != l.status {
		err = fmt.Errorf("%s answers %d, not %d: %.200s", l.path, first.status, l.status, first.body)
	}
	return first, err
}

var (
	requestsLine = regexp.MustCompile(`(?m)^Requests/sec:\s+([\d.]+)$`)
	faultsLine   = regexp.MustCompile(`(?m)^\s+(Non-2xx or 3xx responses|Socket errors).*$`)
)

// run lets wrk make requests for a time.
func (l *load) run(ctx context.Context, o options) error {
	args := []string{"-t", strconv.Itoa(o.threads), "-c", strconv.Itoa(o.connections), "-d", strconv.Itoa(int(o.span / time.Second)), "--timeout", "30s"}
	for name, value := range l.headers {
		args = append(args, "-H", name+": "+value)
	}
	out, err := exec.CommandContext(ctx, "wrk", append(args, "http://"+l.addr+l.path)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("wrk: %w: %s", err, out)
	}
	if faults := faultsLine.Find(out); faults != nil {
		return fmt.Errorf("%s: %s", l.path, strings.TrimSpace(string(faults)))
	}
	groups := requestsLine.FindSubmatch(out)
	if groups == nil {
		return fmt.Errorf("wrk tells no rate: %s", out)
	}
	perSecond, err := strconv.ParseFloat(string(groups[1]), 64)
	l.perSecond = append(l.perSecond, perSecond)
	return err
}

// rate is what is compared: rows a second, or requests where rows are not counted.
func (l *load) rate(round int) float64 { return l.perSecond[round] * float64(max(l.rows, 1)) }

// pair is two loads that take turns in each round.
type pair struct {
	name         string
	bytes        int // of a body
	ours, theirs *load
}

func (p *pair) round(ctx context.Context, o options) error {
	turns := []*load{p.ours, p.theirs}
	if len(p.ours.perSecond)%2 == 1 {
		slices.Reverse(turns)
	}
	for _, l := range turns {
		if err := l.run(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// ratios divides the rates of each round.
func (p *pair) ratios() []float64 {
	var all []float64
	for round := range p.ours.perSecond {
		all = append(all, p.ours.rate(round)/p.theirs.rate(round))
	}
	return all
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// line is the pair's line of the table: medians, and the range of the ratio.
func (p *pair) line() string {
	ratios := p.ratios()
	return fmt.Sprintf("| %s | %d | %s | %s | %.2f | %.2f to %.2f |", p.name, p.bytes,
		whole(median(p.ours.perSecond)), whole(median(p.theirs.perSecond)), median(ratios), slices.Min(ratios), slices.Max(ratios))
}

func whole(v float64) string { return strconv.FormatFloat(math.Round(v), 'f', 0, 64) }
