package server

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/server/api/format"
	"courant/server/config"
	"courant/server/lake"
	"courant/store"
	"courant/store/market"
)

// exportRetry is how long after a failed export the next one is tried.
const exportRetry = time.Hour

// exports brings the files of a lake up to date at each start and once a day.
type exports struct {
	clock    clockwork.Clock
	log      *slog.Logger
	at       int // minutes after midnight in Paris
	datasets []market.Dataset
	places   []exportPlace
	// exported is called with the start of the newest export to a kind of place that has ended well; the zero time if none has.
	exported func(kind string, begun time.Time)
	explain  func(error) error // adds what a person can do about an error
}

// exportPlace is a folder or a bucket.
type exportPlace struct {
	kind, name string
	open       func() (*lake.Lake, error)
	due        time.Time
}

// newExports returns the exports that the configuration schedules, or nil.
func newExports(cfg config.Export, db *store.Store, o Options, exported func(kind string, begun time.Time)) *exports {
	if cfg.Schedule == config.NoClockTime {
		return nil
	}
	e := &exports{clock: o.Clock, log: o.Log, at: int(cfg.Schedule), datasets: cfg.Datasets, exported: exported, explain: o.Explain}
	if len(e.datasets) == 0 {
		e.datasets = market.Datasets()
	}
	if cfg.To != "" {
		e.places = append(e.places, exportPlace{kind: "folder", name: cfg.To, open: func() (*lake.Lake, error) {
			return lake.InFolder(db, cfg.To, o.Simulated)
		}})
	}
	if in := BucketOf(cfg.S3); in.Name != "" {
		e.places = append(e.places, exportPlace{kind: "bucket", name: "s3://" + in.Name + "/" + in.Prefix, open: func() (*lake.Lake, error) {
			return lake.InBucket(db, in, o.Simulated)
		}})
	}
	return e
}

// run exports to each place when it is due, until ctx ends.
func (e *exports) run(ctx context.Context) {
	for i := range e.places {
		e.places[i].due = e.clock.Now()
		e.exported(e.places[i].kind, time.Time{})
	}
	for {
		next := slices.MinFunc(e.places, func(a, b exportPlace) int { return a.due.Compare(b.due) }).due
		if !pause(ctx, e.clock, next.Sub(e.clock.Now())) {
			return
		}
		for i := range e.places {
			if place := &e.places[i]; !place.due.After(e.clock.Now()) {
				place.due = e.exportTo(ctx, place)
			}
		}
	}
}

// exportTo brings the files of a place up to date, and returns when it is due again.
func (e *exports) exportTo(ctx context.Context, place *exportPlace) (due time.Time) {
	begun := e.clock.Now()
	written, files, err := e.update(ctx, place)
	switch {
	case ctx.Err() != nil:
		return begun
	case err != nil:
		e.log.Error("export failed", "to", place.name, "error", oneLine(e.explain(err)))
		return e.clock.Now().Add(exportRetry)
	}
	e.exported(place.kind, begun)
	e.log.Info("export", "to", place.name, "written", written, "files", files, "duration", e.clock.Since(begun))
	return market.NextAt(begun, e.at)
}

func (e *exports) update(ctx context.Context, place *exportPlace) (written, files int, err error) {
	in, err := place.open()
	if err != nil {
		return 0, 0, err
	}
	defer in.Close()
	made, err := in.UpdateAll(ctx, e.datasets, lake.Request{Form: format.Parquet}, nil)
	for _, file := range made {
		if file.Written {
			written++
		}
		if !file.Thinned {
			files++
		}
	}
	return written, files, err
}
