package ingest

import (
	"context"
	"time"
)

// A feed that was running when the service was killed, for example because memory ran out, pauses before it runs again:
// otherwise one answer could kill every start. The pause grows with each kill in a row.
const (
	firstKillPause   = 10 * time.Minute
	longestKillPause = time.Hour
)

// killPauses returns until when each feed pauses that was running when the service was killed. The pauses of several feeds
// end one after the other, which shows the feed that is the cause.
func (f *Feeds) killPauses(ctx context.Context) map[*feed]time.Time {
	kills, err := f.store.CountKills(ctx)
	if err != nil {
		if ctx.Err() == nil {
			f.log.Error("killed runs could not be read", "error", oneLine(err))
		}
		return nil
	}
	var killed []*feed
	for _, feed := range f.feeds {
		if !feed.isOff() && kills[string(feed.Name)] > 0 {
			killed = append(killed, feed)
		}
	}
	pauses := map[*feed]time.Time{}
	for i, feed := range killed {
		times := kills[string(feed.Name)]
		pause := min(firstKillPause<<min(times-1, 8), longestKillPause)
		until := f.clock.Now().Add(pause * time.Duration(i+1) / time.Duration(len(killed)))
		pauses[feed] = until
		f.log.Warn("feed paused, because the service was killed while it ran",
			"feed", string(feed.Name), "times", times, "until", instantText(until))
	}
	return pauses
}

// beginRuns and endRuns store and delete the mark that shows, after a kill, which feeds were running. A full disk may
// prevent that.
func (f *Feeds) beginRuns(ctx context.Context, feed *feed) {
	if err := f.store.BeginRuns(ctx, string(feed.Name), f.clock.Now()); err != nil && ctx.Err() == nil {
		f.log.Error("start of runs not stored", "feed", string(feed.Name), "error", oneLine(err))
	}
}

// endAllRuns deletes all marks at an ordinary stop, including those of runs that did not stop in time.
func (f *Feeds) endAllRuns(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, clearTimeout)
	defer cancel()
	if err := f.store.EndAllRuns(limited); err != nil {
		f.log.Warn("end of runs not stored", "error", oneLine(err))
	}
}

func (f *Feeds) endRuns(ctx context.Context, feed *feed) {
	if err := f.store.EndRuns(context.WithoutCancel(ctx), string(feed.Name)); err != nil {
		f.log.Error("end of runs not stored", "feed", string(feed.Name), "error", oneLine(err))
	}
}
