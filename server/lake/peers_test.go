package lake

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"courant/store/backup/s3"
	"courant/store/market"
	"courant/store/storetest"
)

var (
	peer = flag.String("peer", "", "endpoint of a running S3-compatible store with the bucket lake; its keys are PEER_ACCESS_KEY and PEER_SECRET_KEY")
	down = flag.String("down", "", "folder in which the files of -peer are put")
)

// docs/lake/buckets/run.sh starts the stores and reads the files with DuckDB.
func TestAStoreOfOtherMakersHoldsTheFiles(t *testing.T) {
	if *peer == "" {
		t.Skip("NOT TESTED: no -peer")
	}
	d, folder := newDesk(t), storetest.Folder(t)
	in := s3.Place{Prefix: "courant/", Options: s3.Options{
		Endpoint: *peer, Name: "lake", Region: "us-east-1", AccessKey: os.Getenv("PEER_ACCESS_KEY"), SecretKey: os.Getenv("PEER_SECRET_KEY"),
	}}
	l := must(InBucket(d.db, in, false))(t)
	defer l.Close()
	beside := d.folder(folder)
	rows := map[market.Dataset]int{}
	for _, day := range []string{"2026-03-29", "2026-10-25"} {
		d.prices(day, 1)
		d.steps(day, 2)
	}
	for range 2 { // the second time after a revision of October
		for _, dataset := range []market.Dataset{market.DayAheadPrices, market.AFRREnergy} {
			rows[dataset] = 0
			for _, file := range d.updateAny(l, dataset) {
				rows[dataset] += file.Rows
			}
			for _, file := range d.updateAny(l, dataset) {
				if file.Written {
					t.Errorf("%s is sent again without a change", file.Path)
				}
			}
			d.updateAny(beside, dataset)
		}
		d.prices("2026-10-25", 3)
	}
	d.updateAny(l, market.DayAheadPrices)
	d.updateAny(beside, market.DayAheadPrices)
	bucket := must(s3.Open(in.Options))(t)
	defer bucket.Close()
	want := contents(t, folder)
	for path, content := range want {
		to := filepath.Join(*down, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := bucket.Download(t.Context(), in.Prefix+path, to, func(uint64) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if got := must(os.ReadFile(to))(t); string(got) != content {
			t.Errorf("%s comes back with %d bytes, want %d", path, len(got), len(content))
		}
	}
	expected := must(json.Marshal(rows))(t)
	if err := os.WriteFile(filepath.Join(*down, "rows.json"), expected, 0o600); err != nil {
		t.Fatal(err)
	}
}

// updateAny brings the Parquet files of a dataset up to date.
func (d *desk) updateAny(l *Lake, dataset market.Dataset) []File {
	d.Helper()
	return must(l.Update(d.Context(), Request{Dataset: dataset, Form: Forms()[0]}))(d)
}
