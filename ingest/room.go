package ingest

import (
	"errors"
	"fmt"
	"time"
)

// ErrNoRoom means that nothing is fetched because the disk is nearly full.
var ErrNoRoom = errors.New("the disk is nearly full")

// roomPause is how long a feed waits before it checks for room again.
const roomPause = 10 * time.Second

func (f *Feeds) checkRoom() error {
	if err := f.room(); err != nil {
		return fmt.Errorf("%w: %w", ErrNoRoom, err)
	}
	return nil
}

// isOutOfRoom reports whether there is no room for what the feed would store. It logs when that begins and ends.
func (f *Feeds) isOutOfRoom(feed *feed) bool {
	err := f.checkRoom()
	switch {
	case err != nil && !feed.outOfRoom:
		f.log.Warn("feed paused", "feed", string(feed.Name), "error", oneLine(err))
	case err == nil && feed.outOfRoom:
		f.log.Info("feed resumed", "feed", string(feed.Name))
	}
	feed.outOfRoom = err != nil
	return feed.outOfRoom
}
