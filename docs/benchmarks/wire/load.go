package main

import (
	"context"
	"fmt"
	"math"
	"os"
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
	perCPU    []float64 // requests a second of the server's processor time, by round: what other work on the machine changes little
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
	countLine    = regexp.MustCompile(`(?m)^\s+(\d+) requests in `)
	requestsLine = regexp.MustCompile(`(?m)^Requests/sec:\s+([\d.]+)$`)
	faultsLine   = regexp.MustCompile(`(?m)^\s+(Non-2xx or 3xx responses|Socket errors).*$`)
)

// run lets wrk make requests for a time.
func (l *load) run(ctx context.Context, o options) error {
	args := []string{"-t", strconv.Itoa(o.threads), "-c", strconv.Itoa(o.connections), "-d", strconv.Itoa(int(o.span / time.Second)), "--timeout", "30s"}
	for name, value := range l.headers {
		args = append(args, "-H", name+": "+value)
	}
	before, err := l.processorTime()
	if err != nil {
		return err
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
	if err != nil {
		return err
	}
	count := countLine.FindSubmatch(out)
	if count == nil {
		return fmt.Errorf("wrk tells no number of requests: %s", out)
	}
	requests, err := strconv.ParseFloat(string(count[1]), 64)
	if err != nil {
		return err
	}
	after, err := l.processorTime()
	l.perSecond, l.perCPU = append(l.perSecond, perSecond), append(l.perCPU, requests/max(after-before, ticks))
	return err
}

// ticks is the unit of /proc, in seconds.
const ticks = 0.01

// processorTime returns the processor time that the server has used, in seconds.
func (p *process) processorTime() (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest) // from the third on: utime and stime are the 14th and 15th
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc tells no processor time: %s", stat)
	}
	user, err := strconv.ParseFloat(fields[11], 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseFloat(fields[12], 64)
	return (user + system) * ticks, err
}

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

// ratios divides the rates of each round: of rows, where they are counted.
func (p *pair) ratios(rates func(*load) []float64) []float64 {
	var all []float64
	ours, theirs := rates(p.ours), rates(p.theirs)
	for round := range ours {
		all = append(all, ours[round]*float64(max(p.ours.rows, 1))/(theirs[round]*float64(max(p.theirs.rows, 1))))
	}
	return all
}

func perSecond(l *load) []float64 { return l.perSecond }
func perCPU(l *load) []float64    { return l.perCPU }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// line is the pair's line of the table: medians, and the ranges of the ratios.
func (p *pair) line() string {
	return fmt.Sprintf("| %s | %d | %s | %s | %s | %s |", p.name, p.bytes,
		whole(median(p.ours.perSecond)), whole(median(p.theirs.perSecond)), spread(p.ratios(perSecond)), spread(p.ratios(perCPU)))
}

// spread is the median and the range of ratios.
func spread(ratios []float64) string {
	return fmt.Sprintf("%.2f (%.2f to %.2f)", median(ratios), slices.Min(ratios), slices.Max(ratios))
}

func whole(v float64) string { return strconv.FormatFloat(math.Round(v), 'f', 0, 64) }
