package server_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

// Serving, fetching and writing go on while a backup is made; restored elsewhere it answers as the first one does.
func TestARestoredBackupAnswersToTheByteAsWhatWasBackedUp(t *testing.T) {
	h := newHouse(t, market.NewDeliveryDate(2026, time.November, 20).At(12, 0))
	h.do("", "fetch", "all", "--from", "yesterday", "--to", "yesterday")
	want := h.bodies(endpoints...)
	served, err := store.OpenAlone(t.Context(), "courant.db")
	if err != nil {
		t.Fatal(err)
	}
	var writing sync.WaitGroup
	stop := make(chan struct{})
	writing.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			run := store.Run{Feed: "beside", Datasets: []market.Dataset{market.AFRREnergy}, Started: h.clock.Now(), Ended: h.clock.Now(), Outcome: store.OutcomeFailed}
			if err := served.RecordRun(t.Context(), &run); err != nil {
				t.Error(err)
				return
			}
		}
	})
	h.do("", "backup", "drill.db.zst")
	close(stop)
	writing.Wait()
	if err := served.Close(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("COURANT_DATABASE_PATH", filepath.Join(storetest.Folder(t), "elsewhere.db"))
	h.do("", "restore", "drill.db.zst")
	for path, body := range h.bodies(endpoints...) {
		if string(body) != string(want[path]) {
			t.Errorf("%s differs", path)
		}
	}
}
