package ingest

import (
	"errors"
	"fmt"
	"time"
)

// ErrNoRoom is that nothing is taken in because the disk is nearly full.
var ErrNoRoom = errors.New("the disk is nearly full")

// roomPause is how long a feed rests before it looks for room again.
const roomPause = 10 * time.Second

func (f *Feeds) checkRoom() error {
	if err := f.room(); err != nil {
		return fmt.Errorf("%w: %w", ErrNoRoom, err)
	}
	return nil
}

// rests says whether there is no room for what the feed would bring. It is logged when that begins and when it ends, and
// nothing is written.
func (f *Feeds) rests(feed *feed) bool {
	err := f.checkRoom()
	switch {
	case err != nil && !feed.resting:
		f.log.Warn("feed rests", "feed", string(feed.Name), "error", oneLine(err))
	case err == nil && feed.resting:
		f.log.Info("feed goes on", "feed", string(feed.Name))
	}
	feed.resting = err != nil
	return feed.resting
}
