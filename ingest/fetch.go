package ingest

import (
	"context"
	"errors"
	"fmt"
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
func (f *Feeds) Plan(ctx context.Context, request FetchRequest) ([]store.Period, error) {
	feed := f.of(request.Dataset)
	finished, err := f.store.FinishedWindows(ctx, string(feed.name), request.First, request.Last)
	if err != nil {
		return nil, err
	}
	var calls []store.Period
	for _, w := range f.fetchWindows(feed, request, finished) {
		calls = append(calls, w.calls...)
	}
	return calls, nil
}

// fetchWindows are those of the request that have begun and, unless it is forced, are not finished.
func (f *Feeds) fetchWindows(feed *feed, request FetchRequest, finished map[int64]bool) []window {
	var windows []window
	for _, w := range feed.plan(request.First, request.Last) {
		if !feed.ahead {
			begun := false
			if w, begun = w.upTo(f.clock.Now()); !begun {
				continue
			}
		}
		if request.Force || !finished[w.Start] {
			windows = append(windows, w)
		}
	}
	return windows
}

// Fetch asks for every delivery date of the requests' ranges, also those that are held whole, one request after the
// other. After an interruption the same requests go on with the windows that are left. The error wraps ErrOff or
// ErrIncomplete, or is the context's or the store's.
func (f *Feeds) Fetch(ctx context.Context, requests ...FetchRequest) error {
	var begun []int64
	var faults []error
	for _, request := range requests {
		feed := f.of(request.Dataset)
		if feed.off {
			faults = append(faults, offError(feed, request.Dataset))
			continue
		}
		fetch, err := f.store.BeginFetch(ctx, string(feed.name), request.First, request.Last, f.clock.Now())
		if err != nil {
			return err
		}
		begun = append(begun, fetch.ID)
		if err := f.fetch(ctx, feed, request, fetch); err != nil {
			faults = append(faults, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	// Until all have come to their end, what each has finished is remembered.
	for _, id := range begun {
		if err := f.store.EndFetch(ctx, id); err != nil {
			return err
		}
	}
	return errors.Join(faults...)
}

func (f *Feeds) fetch(ctx context.Context, feed *feed, request FetchRequest, fetch store.Fetch) error {
	windows := f.fetchWindows(feed, request, fetch.Finished)
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
	if len(faults) > 0 {
		return fmt.Errorf("%s: %w: %s", request.Dataset, ErrIncomplete, strings.Join(faults, "; "))
	}
	return nil
}
