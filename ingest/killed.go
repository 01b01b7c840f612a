package ingest

import (
	"context"
	"time"
)

// A feed in whose runs the service was killed, as for want of memory, rests before it runs again: an answer that kills would
// kill each start. It rests for longer with each kill in a row.
const (
	firstKillRest   = 10 * time.Minute
	longestKillRest = time.Hour
)

// killRests is until when each feed rests in whose runs a service was killed. Of several the rests end one after the other, so
// that those that are innocent are found out.
func (f *Feeds) killRests(ctx context.Context) map[*feed]time.Time {
	kills, err := f.store.CountKills(ctx)
	if err != nil {
		if ctx.Err() == nil {
			f.log.Error("killed runs not known", "error", oneLine(err))
		}
		return nil
	}
	var killed []*feed
	for _, feed := range f.feeds {
		if !feed.isOff() && kills[string(feed.Name)] > 0 {
			killed = append(killed, feed)
		}
	}
	rests := map[*feed]time.Time{}
	for i, feed := range killed {
		times := kills[string(feed.Name)]
		rest := min(firstKillRest<<min(times-1, 8), longestKillRest)
		until := f.clock.Now().Add(rest * time.Duration(i+1) / time.Duration(len(killed)))
		rests[feed] = until
		f.log.Warn("feed rests, because the service was killed while it ran", "feed", string(feed.Name), "times", times, "until", instantText(until))
	}
	return rests
}

// beginRuns and endRuns keep the note that a kill leaves behind. Without room on the disk there is none.
func (f *Feeds) beginRuns(ctx context.Context, feed *feed) {
	if err := f.store.BeginRuns(ctx, string(feed.Name), f.clock.Now()); err != nil && ctx.Err() == nil {
		f.log.Error("runs not noted", "feed", string(feed.Name), "error", oneLine(err))
	}
}

// endAllRuns is for an ordinary stop, also of runs that did not end in time.
func (f *Feeds) endAllRuns(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, clearTimeout)
	defer cancel()
	if err := f.store.EndAllRuns(limited); err != nil {
		f.log.Warn("end of runs not noted", "error", oneLine(err))
	}
}

func (f *Feeds) endRuns(ctx context.Context, feed *feed) {
	if err := f.store.EndRuns(context.WithoutCancel(ctx), string(feed.Name)); err != nil {
		f.log.Error("end of runs not noted", "feed", string(feed.Name), "error", oneLine(err))
	}
}
