package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"courant/store"
	"courant/store/market"
)

// OffError means that a dataset is not fetched because there are no credentials for its source.
type OffError struct {
	Dataset market.Dataset
	Source  string // RTE or ENTSO-E
}

func (e OffError) Error() string { return fmt.Sprintf("%s: the feed is off", e.Dataset) }

// ErrIncomplete means that a fetch could not get, or had to refuse, a part of what was asked for.
var ErrIncomplete = errors.New("not everything could be fetched")

// FetchRequest is a range of delivery dates that a person asks for, both ends included.
type FetchRequest struct {
	Dataset     market.Dataset // its feed is run, so one capacity dataset brings all three
	First, Last market.DeliveryDate
	// Force asks also for the windows that an interrupted fetch of the same range had finished, and for delivery dates
	// whose gaps are the source's own, or that are thinned.
	Force bool
	// Progress is called before the first window and after each.
	Progress func(Progress)
}

// Progress is how far a fetch has come.
type Progress struct {
	Done, Total int                 // delivery dates
	Date        market.DeliveryDate // the last one of the newest window; zero before the first
	Rows        int                 // received so far
}

// Name returns the name of the feed of the dataset's own source.
func (f *Feeds) Name(dataset market.Dataset) market.FeedName { return f.primary[dataset].Name }

// Plan lists the periods that a fetch would ask for, in order, one for each call.
func (f *Feeds) Plan(ctx context.Context, request FetchRequest) ([]market.Period, error) {
	feed := f.primary[request.Dataset]
	finished, err := f.store.FinishedWindows(ctx, string(feed.Name), request.First, request.Last)
	if err != nil {
		return nil, err
	}
	windows, err := f.fetchWindows(ctx, feed, request, finished)
	if err != nil {
		return nil, err
	}
	var calls []market.Period
	for _, w := range windows {
		calls = append(calls, w.calls...)
	}
	return calls, nil
}

// fetchWindows returns the windows of a request that have begun. Unless it is forced, it leaves out those that are finished,
// and the delivery dates that cannot become more complete.
func (f *Feeds) fetchWindows(ctx context.Context, feed *feed, request FetchRequest, finished map[int64]bool) ([]window, error) {
	dates := market.Dates(request.First, request.Last)
	if !request.Force {
		missing, err := f.missing(ctx, feed, request.First, request.Last)
		if err != nil {
			return nil, err
		}
		dates = slices.DeleteFunc(dates, func(date market.DeliveryDate) bool { return missing[date].gaps == len(feed.Datasets) })
	}
	var windows []window
	for _, run := range neighbours(dates) {
		for _, w := range windowsOf(feed.Feed, run[0], run[len(run)-1]) {
			w, begun := feed.begun(w, f.clock.Now())
			if begun && (request.Force || !finished[w.Start]) {
				windows = append(windows, w)
			}
		}
	}
	return windows, nil
}

// Fetch asks for every delivery date of the requests' ranges, including complete ones, one request after the other. After
// an interruption, or an outage that ended the fetch, the same requests continue with the windows that are left. The error
// wraps an OffError, ErrIncomplete or ErrNoRoom, or is the context's or the store's.
func (f *Feeds) Fetch(ctx context.Context, requests ...FetchRequest) error {
	if err := f.checkRoom(); err != nil {
		return err
	}
	var begun []int64
	var faults []error
	ended := true
	for _, request := range requests {
		feed := f.primary[request.Dataset]
		if feed.isOff() {
			faults = append(faults, OffError{request.Dataset, feed.Source})
			continue
		}
		fetch, err := f.store.BeginFetch(ctx, string(feed.Name), request.First, request.Last, f.clock.Now())
		if err != nil {
			return err
		}
		begun = append(begun, fetch.ID)
		left, err := f.fetch(ctx, feed, request, fetch)
		ended = ended && left == 0
		if err != nil {
			faults = append(faults, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	// Until all requests are finished, the finished windows of each are remembered.
	if !ended {
		return errors.Join(faults...)
	}
	for _, id := range begun {
		if err := f.store.EndFetch(ctx, id); err != nil {
			return err
		}
	}
	return errors.Join(faults...)
}

// fetch runs one request, and returns how many delivery dates are left for the same request to continue with.
func (f *Feeds) fetch(ctx context.Context, feed *feed, request FetchRequest, fetch store.Fetch) (left int, err error) {
	windows, err := f.fetchWindows(ctx, feed, request, fetch.Finished)
	if err != nil {
		return 0, err
	}
	b := backfill{feeds: f, feed: feed, fetchID: fetch.ID, report: request.Progress}
	if err := b.run(ctx, windows); err != nil {
		return b.left, err
	}
	faults := firstFew(b.faults)
	if b.left > 0 {
		dates := "delivery dates are"
		if b.left == 1 {
			dates = "delivery date is"
		}
		faults += fmt.Sprintf("; %d %s left: the same command continues there", b.left, dates)
	}
	if faults != "" {
		err = fmt.Errorf("%s: %w: %s", request.Dataset, ErrIncomplete, faults)
	}
	return b.left, err
}

// mostNamed is how many faults a message names.
const mostNamed = 5

// firstFew joins the first of the texts, and says how many more there are.
func firstFew(texts []string) string {
	if more := len(texts) - mostNamed; more > 0 {
		texts = append(slices.Clone(texts[:mostNamed]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, "; ")
}
