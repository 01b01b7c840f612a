package server

import (
	"testing"

	"courant/ingest"
	"courant/ingest/entsoe"
	"courant/ingest/rte"
	"courant/store/market"
)

func TestEveryFeedIsReadFromItsSource(t *testing.T) {
	readers := map[string]map[market.FeedName]ingest.Reader{
		market.SourceENTSOE: readersOfENTSOE(&entsoe.Client{}),
		market.SourceRTE:    readersOfRTE(&rte.Client{}),
	}
	for _, feed := range market.Feeds() {
		if readers[feed.Source][feed.Name] == nil {
			t.Errorf("%s: no call of %s reads it", feed.Name, feed.Source)
		}
	}
}
