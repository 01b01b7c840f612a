package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"courant/store"
)

// ErrOff is a feed that has no credentials for its source.
var ErrOff = errors.New("the feed is off")

// ErrIncomplete is a fetch of which the source gave something that was refused, or failed to give something.
var ErrIncomplete = errors.New("not everything could be fetched")

// FetchRequest is a range of delivery dates that a person asks for, both ends included.
type FetchRequest struct {
	Dataset     store.Dataset // its feed is run, so one capacity dataset brings all three
	First, Last store.DeliveryDate
	// Force asks again for the windows that an interrupted fetch of the same range had finished.
	Force bool
	// Progress is called before the first window and after each: how many are done, and how many there are.
	Progress func(done, total int)
}

// Name is the name of the feed that brings the dataset in.
func (f *Feeds) Name(dataset store.Dataset) FeedName { return f.of(dataset).name }

// offError says how a feed is switched on.
func offError(feed *feed, dataset store.Dataset) error {
	keys := "rte.client_id and rte.client_secret"
	if feed.name == DayAheadPrices {
		keys = "entsoe.security_token"
	}
	return fmt.Errorf("%s: %w: set %s", dataset, ErrOff, keys)
}

// Plan lists the periods that a fetch would ask for, in order, one a call.
func (f *Feeds) Plan(request FetchRequest) []store.Period {
	var calls []store.Period
	for _, w := range f.fetchWindows(f.of(request.Dataset), request) {
		calls = append(calls, w.calls...)
	}
	return calls
}

func (f *Feeds) fetchWindows(feed *feed, request FetchRequest) []window {
	windows := feed.plan(request.First, request.Last)
	if feed.ahead {
		return windows
	}
	var begun []window
	for _, w := range windows {
		if w, ok := w.upTo(f.clock.Now()); ok {
			begun = append(begun, w)
		}
	}
	return begun
}

// Fetch asks for every delivery date of the range, also those that are held whole. After an interruption the same
// request goes on with the windows that are left. The error wraps ErrOff or ErrIncomplete, or is the context's or the
// store's.
func (f *Feeds) Fetch(ctx context.Context, request FetchRequest) error {
	feed := f.of(request.Dataset)
	if feed.off {
		return offError(feed, request.Dataset)
	}
	fetch, err := f.store.BeginFetch(ctx, string(feed.name), request.First, request.Last, f.clock.Now())
	if err != nil {
		return err
	}
	windows := f.fetchWindows(feed, request)
	if !request.Force {
		windows = slices.DeleteFunc(windows, func(w window) bool { return fetch.Finished[w.Start] })
	}
	var faults []string
	request.Progress(0, len(windows))
	for i, w := range windows {
		run, err := f.run(ctx, feed, w, fetch.ID)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if run.Error != "" {
			faults = append(faults, run.Error)
		}
		if err != nil && hopeless(err) {
			break
		}
		request.Progress(i+1, len(windows))
	}
	if err := f.store.EndFetch(ctx, fetch.ID); err != nil {
		return err
	}
	if len(faults) > 0 {
		return fmt.Errorf("%s: %w: %s", request.Dataset, ErrIncomplete, strings.Join(faults, "; "))
	}
	return nil
}
