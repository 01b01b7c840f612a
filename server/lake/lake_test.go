package lake

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/parquet-go/parquet-go"
	"go.uber.org/goleak"

	"courant/server/api/format"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

func TestMain(m *testing.M) {
	minio.DefaultRetryUnit = time.Millisecond // of the pauses before calls to a bucket are repeated
	goleak.VerifyTestMain(m)
}

// noon is when the first commit of a test is made; the others follow a minute apart.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func date(text string) market.DeliveryDate {
	d, err := market.ParseDeliveryDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func month(text string) market.Month {
	m, err := market.ParseMonth(text)
	if err != nil {
		panic(err)
	}
	return m
}

// must is the value of a call that must not fail.
func must[V any](value V, err error) func(testing.TB) V {
	return func(t testing.TB) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// desk is a database whose rows are written to a lake.
type desk struct {
	*testing.T
	db      *store.Store
	commits int
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return &desk{T: t, db: storetest.New(t)}
}

func (d *desk) commit(dataset market.Dataset, batch market.Batch) {
	d.Helper()
	at := noon.Add(time.Duration(d.commits) * time.Minute)
	d.commits++
	run := &store.Run{Feed: "test", Datasets: []market.Dataset{dataset}, Started: at, Ended: at, Outcome: store.OutcomeOK}
	if err := d.db.Commit(d.Context(), run, batch); err != nil {
		d.Fatal(err)
	}
}

// prices commits the prices of a date's quarter hours, which count up from the first.
func (d *desk) prices(day string, first float64) {
	d.Helper()
	var prices []market.Price
	for start := date(day).Period().Start; start < date(day).Period().End; start += market.QuarterSeconds {
		prices = append(prices, market.Price{Start: start, Resolution: market.PT15M, Price: market.Num(first + float64(len(prices)))})
	}
	d.commit(market.DayAheadPrices, market.Prices.Batch(prices))
}

// steps commits an hour of 4 s steps.
func (d *desk) steps(day string, upward float64) {
	d.Helper()
	var steps []market.AFRRStep
	for n := range market.HourSeconds / market.AFRRSeconds {
		steps = append(steps, market.AFRRStep{Start: date(day).Period().Start + int64(n)*market.AFRRSeconds, UpwardPrice: market.Num(upward)})
	}
	d.commit(market.AFRREnergy, market.AFRR.Batch(steps))
}

// thin replaces 4 s steps before a date.
func (d *desk) thin(before string) {
	d.Helper()
	if _, err := d.db.ThinAFRR(d.Context(), date(before), noon.Add(100*time.Minute)); err != nil {
		d.Fatal(err)
	}
}

// folder opens the lake in a folder until the test ends.
func (d *desk) folder(path string) *Lake {
	d.Helper()
	l := must(InFolder(d.db, path, false))(d)
	d.Cleanup(func() { l.Close() })
	return l
}

// describe describes files, such as "2026-10: 96 rows, written".
func describe(files []File) string {
	var lines []string
	for _, f := range files {
		line := fmt.Sprintf("%s: %d rows", f.Month.Month, f.Rows)
		switch {
		case f.Thinned:
			line = fmt.Sprintf("%s: thinned", f.Month.Month)
		case f.Written:
			line += ", written"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// update brings a dataset up to date and compares the months with what is wanted.
func (d *desk) update(l *Lake, r Request, want ...string) []File {
	d.Helper()
	if r.Form == "" {
		r.Form = format.Parquet
	}
	files, err := l.Update(d.Context(), r)
	if err != nil {
		d.Fatal(err)
	}
	if got := describe(files); got != strings.Join(want, "\n") {
		d.Fatalf("files\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	return files
}

// contents are the files of a folder but those of Courant itself, with their bytes.
func contents(t testing.TB, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if entry != nil && entry.Name() == stateFolder {
				return fs.SkipDir
			}
			return err
		}
		content, err := os.ReadFile(name)
		relative, _ := filepath.Rel(folder, name)
		all[filepath.ToSlash(relative)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// names are the sorted keys of contents.
func names(all map[string]string) []string {
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

const (
	pricesOctober  = "dataset=day-ahead-prices/year=2026/month=10/part.parquet"
	pricesNovember = "dataset=day-ahead-prices/year=2026/month=11/part.parquet"
)

// The day on which the clock goes back ends the month of October.
func TestOnlyMonthsThatHaveChangedAreWrittenAgain(t *testing.T) {
	t.Parallel()
	d, folder := newDesk(t), storetest.Folder(t)
	prices := Request{Dataset: market.DayAheadPrices}
	d.prices("2026-10-25", 1)
	d.prices("2026-11-01", 1)
	l := d.folder(folder)
	d.update(l, prices, "2026-10: 100 rows, written", "2026-11: 96 rows, written")
	before := contents(t, folder)
	if got, want := names(before), []string{pricesOctober, pricesNovember}; !slices.Equal(got, want) {
		t.Fatalf("files %q, want %q", got, want)
	}
	d.update(l, prices, "2026-10: 100 rows", "2026-11: 96 rows")
	d.prices("2026-11-01", 1) // read again, the same
	d.update(l, prices, "2026-10: 100 rows", "2026-11: 96 rows")
	d.prices("2026-11-02", 1)
	d.update(l, prices, "2026-10: 100 rows", "2026-11: 192 rows, written")
	if after := contents(t, folder); after[pricesOctober] != before[pricesOctober] || after[pricesNovember] == before[pricesNovember] {
		t.Error("the wrong file has changed")
	}
	d.prices("2026-10-25", 2) // a revision of a month that is over
	d.update(l, prices, "2026-10: 100 rows, written", "2026-11: 192 rows")
	d.update(l, Request{Dataset: market.DayAheadPrices, First: month("2026-11"), Last: month("2026-11")}, "2026-11: 192 rows")
	d.update(l, Request{Dataset: market.DayAheadPrices, Last: month("2026-10")}, "2026-10: 100 rows")
	d.update(l, Request{Dataset: market.MFRREnergy})
}

func TestAFileHoldsItsMonthAndThePositionOfItsNewestCommit(t *testing.T) {
	t.Parallel()
	d, folder := newDesk(t), storetest.Folder(t)
	d.prices("2026-09-30", 1)
	d.prices("2026-10-01", 5)
	d.prices("2026-10-31", 7)
	d.prices("2026-11-01", 1)
	d.update(d.folder(folder), Request{Dataset: market.DayAheadPrices, First: month("2026-10"), Last: month("2026-10")}, "2026-10: 192 rows, written")
	content := []byte(contents(t, folder)[pricesOctober])
	file := must(parquet.OpenFile(bytes.NewReader(content), int64(len(content))))(t)
	for key, want := range map[string]string{
		"position": "3", "generated_at": "2026-11-24T12:02:00.000Z", "from": "2026-09-30T22:00:00.000Z", "to": "2026-10-31T23:00:00.000Z",
		"dataset": "day-ahead-prices", "attribution": "Source: ENTSO-E Transparency Platform",
	} {
		if got, _ := file.Lookup(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if _, is := file.Lookup("simulated"); is {
		t.Error("real values are said to be simulated")
	}
}

func TestTheSameRowsGiveTheSameBytesInEveryForm(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.prices("2026-10-25", 1)
	var first map[string]string
	for range 2 {
		folder := storetest.Folder(t)
		l := d.folder(folder)
		for _, form := range Forms() {
			d.update(l, Request{Dataset: market.DayAheadPrices, Form: form}, "2026-10: 100 rows, written")
			d.update(l, Request{Dataset: market.DayAheadPrices, Form: form}, "2026-10: 100 rows")
		}
		all := contents(t, folder)
		const path = "dataset=day-ahead-prices/year=2026/month=10/part."
		want := []string{path + "csv", path + "fr.csv", path + "ndjson", path + "parquet", path + "xlsx"}
		if got := names(all); !slices.Equal(got, want) {
			t.Fatalf("files %q, want %q", got, want)
		}
		for name, content := range all {
			if first != nil && content != first[name] {
				t.Errorf("%s has other bytes", name)
			}
		}
		first = all
	}
}

func TestAMonthWithAThinnedDateIsNeitherWrittenAgainNorRemoved(t *testing.T) {
	t.Parallel()
	d, folder := newDesk(t), storetest.Folder(t)
	energy := Request{Dataset: market.AFRREnergy}
	d.steps("2026-09-30", 1)
	d.steps("2026-10-01", 1)
	l := d.folder(folder)
	d.update(l, energy, "2026-09: 900 rows, written", "2026-10: 900 rows, written")
	before := contents(t, folder)
	d.thin("2026-10-01")
	d.update(l, energy, "2026-09: thinned", "2026-10: 900 rows")
	elsewhere := storetest.Folder(t)
	d.update(d.folder(elsewhere), energy, "2026-09: thinned", "2026-10: 900 rows, written")
	if after := contents(t, folder); len(after) != 2 || after[names(before)[0]] != before[names(before)[0]] {
		t.Error("the file of the thinned month is not what it was")
	}
	if all := contents(t, elsewhere); len(all) != 1 {
		t.Errorf("elsewhere there are %q", names(all))
	}
}

func TestAFileThatIsNotAsItWasWrittenIsWrittenAgain(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, folder string) error{
		"removed": func(_ *testing.T, folder string) error { return os.Remove(filepath.Join(folder, pricesOctober)) },
		"cut":     func(_ *testing.T, folder string) error { return os.Truncate(filepath.Join(folder, pricesOctober), 10) },
		"without a manifest": func(_ *testing.T, folder string) error {
			return os.RemoveAll(filepath.Join(folder, stateFolder, "day-ahead-prices.json"))
		},
		"a damaged manifest": func(_ *testing.T, folder string) error {
			return os.Truncate(filepath.Join(folder, stateFolder, "day-ahead-prices.json"), 50)
		},
		"a huge manifest": func(_ *testing.T, folder string) error {
			return os.Truncate(filepath.Join(folder, stateFolder, "day-ahead-prices.json"), 1<<30)
		},
		"of another database": nil,
	} {
		t.Run(name, func(t *testing.T) {
			d, folder := newDesk(t), storetest.Folder(t)
			d.prices("2026-10-25", 1)
			l := d.folder(folder)
			d.update(l, Request{Dataset: market.DayAheadPrices}, "2026-10: 100 rows, written")
			want := contents(t, folder)
			if spoil == nil { // the same position, at another time
				l.Close()
				d = newDesk(t)
				d.commits = 5
				d.prices("2026-10-25", 2)
				d.update(d.folder(folder), Request{Dataset: market.DayAheadPrices}, "2026-10: 100 rows, written")
				return
			}
			if err := spoil(t, folder); err != nil {
				t.Fatal(err)
			}
			d.update(l, Request{Dataset: market.DayAheadPrices}, "2026-10: 100 rows, written")
			if got := contents(t, folder); got[pricesOctober] != want[pricesOctober] || len(got) != len(want) {
				t.Error("the file is another")
			}
		})
	}
}

func TestFilesHaveTheAccessRightsOfTheFolder(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("rights are kept elsewhere")
	}
	d := newDesk(t)
	d.prices("2026-10-25", 1)
	for mode, want := range map[fs.FileMode]fs.FileMode{0o700: 0o600, 0o750: 0o640, 0o755: 0o644} {
		folder := storetest.Folder(t)
		if err := os.Chmod(folder, mode); err != nil {
			t.Fatal(err)
		}
		d.update(d.folder(folder), Request{Dataset: market.DayAheadPrices}, "2026-10: 100 rows, written")
		for path, want := range map[string]fs.FileMode{pricesOctober: want, filepath.Dir(pricesOctober): mode, stateFolder: mode} {
			if got := must(os.Stat(filepath.Join(folder, path)))(t).Mode().Perm(); got != want {
				t.Errorf("in a folder of %o, %s has %o, want %o", mode, path, got, want)
			}
		}
	}
}

func TestAFolderThatCannotBeUsedIsAnErrorOfOneLine(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.prices("2026-10-25", 1)
	file := filepath.Join(storetest.Folder(t), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken := storetest.Folder(t) // a file lies where folders belong
	if err := os.WriteFile(filepath.Join(taken, "dataset=day-ahead-prices"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	inUse := storetest.Folder(t)
	d.folder(inUse)
	for folder, want := range map[string]string{
		filepath.Join(storetest.Folder(t), "missing"): "the folder does not exist: make it first",
		file:  "it is not a folder: name one",
		inUse: "another export is writing to it: wait until it has ended",
		taken: "not a directory",
	} {
		l, err := InFolder(d.db, folder, false)
		if err == nil {
			_, err = l.Update(t.Context(), Request{Dataset: market.DayAheadPrices, Form: format.Parquet})
			l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), folder) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %s: %s", err, folder, want)
		}
	}
}

func TestWhatAKilledExportHasLeftIsRemovedByTheNext(t *testing.T) {
	t.Parallel()
	d, folder := newDesk(t), storetest.Folder(t)
	d.prices("2026-10-25", 1)
	l := d.folder(folder)
	left := filepath.Join(folder, stateFolder, "file.courant-1.part")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.update(l, Request{Dataset: market.DayAheadPrices}, "2026-10: 100 rows, written")
	if _, err := os.Lstat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is left: %v", err)
	}
}

func TestAnInterruptedExportLeavesWholeFilesAndGoesOn(t *testing.T) {
	t.Parallel()
	d, folder := newDesk(t), storetest.Folder(t)
	d.prices("2026-10-25", 1)
	d.prices("2026-11-01", 1)
	l := d.folder(folder)
	ctx, interrupt := context.WithCancel(t.Context())
	files, err := l.Update(ctx, Request{Dataset: market.DayAheadPrices, Form: format.Parquet, Progress: func(now Progress) {
		if now.Done == 1 {
			interrupt()
		}
	}})
	if !errors.Is(err, context.Canceled) || describe(files) != "2026-10: 100 rows, written" {
		t.Fatalf("files %q, %v", describe(files), err)
	}
	if all := contents(t, folder); !slices.Equal(names(all), []string{pricesOctober}) {
		t.Errorf("files %q", names(all))
	}
	d.update(l, Request{Dataset: market.DayAheadPrices}, "2026-10: 100 rows", "2026-11: 96 rows, written")
}

// brokenPipe takes some bytes and then no more.
type brokenPipe struct{ left int }

func (b *brokenPipe) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errors.New("broken pipe")
	}
	return len(p), nil
}

func TestAStreamIsExactlyTheRange(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, day := range []string{"2026-10-24", "2026-10-25", "2026-10-26", "2026-11-01"} {
		d.prices(day, 1)
	}
	var out bytes.Buffer
	report := func(market.DeliveryDate, int) {}
	rows, thinned, err := Stream(t.Context(), d.db, &out, market.DayAheadPrices, date("2026-10-25"), date("2026-10-26"), format.CSV, report)
	if err != nil || rows != 196 || len(thinned) > 0 {
		t.Errorf("%d rows, thinned %v, %v", rows, thinned, err)
	}
	lines := must(csv.NewReader(&out).ReadAll())(t)
	if len(lines) != 197 || lines[1][0] != "2026-10-24T22:00:00.000Z" || lines[196][1] != "2026-10-26T23:00:00.000Z" {
		t.Errorf("%d lines, from %q to %q", len(lines), lines[1], lines[len(lines)-1])
	}
	if _, _, err = Stream(t.Context(), d.db, &brokenPipe{100}, market.DayAheadPrices, date("2026-10-25"), date("2026-10-26"), format.CSV, report); err == nil {
		t.Error("a broken pipe is no error")
	}
	d.steps("2026-10-01", 1)
	d.steps("2026-10-02", 1)
	d.thin("2026-10-02")
	rows, thinned, err = Stream(t.Context(), d.db, &out, market.AFRREnergy, date("2026-10-01"), date("2026-10-02"), format.NDJSON, report)
	if err != nil || rows != 900 || len(thinned) != 1 || thinned[0] != date("2026-10-01") {
		t.Errorf("%d rows, thinned %v, %v", rows, thinned, err)
	}
}
