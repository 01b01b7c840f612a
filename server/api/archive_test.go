package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"courant/ingest/report"
	"courant/server/api"
	"courant/store/market"
)

// archived is a month in the list of an archive.
type archived struct {
	Month, SHA256, ETag, Href string
	Rows                      int
	Bytes                     int64
	Closed                    bool
}

// archive lists the archive of a dataset.
func (f *fixture) archive(t *testing.T, dataset market.Dataset, who func(*http.Request)) []archived {
	t.Helper()
	w := f.ask(t, "GET", "/api/datasets/"+string(dataset)+"/archive", who)
	var list struct{ Files []archived }
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || w.Code != 200 || list.Files == nil {
		t.Fatalf("the archive of %s answers %d %s, %v", dataset, w.Code, w.Body, err)
	}
	return list.Files
}

// october and november are two days of different months.
var october, november = market.NewDeliveryDate(2026, time.October, 25), market.NewDeliveryDate(2026, time.November, 1)

func TestAMonthOfTheArchiveIsWhatItsListSays(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, october, november)
	for _, dataset := range market.Datasets() {
		files := f.archive(t, dataset, admin)
		if len(files) != 2 || files[0].Month != "2026-10" || files[1].Month != "2026-11" {
			t.Fatalf("%s has the months %+v", dataset, files)
		}
		for _, file := range files {
			if want := "/api/datasets/" + string(dataset) + "/archive/" + file.Month + ".parquet"; file.Href != want || file.Closed {
				t.Errorf("%s %s: href %s, closed %t", dataset, file.Month, file.Href, file.Closed)
			}
			w := f.ask(t, "GET", file.Href, admin, header("Accept-Encoding", "gzip, zstd"))
			sum := sha256.Sum256(w.Body.Bytes())
			if w.Code != 200 || hex.EncodeToString(sum[:]) != file.SHA256 || int64(w.Body.Len()) != file.Bytes {
				t.Errorf("%s answers %d with %d bytes of %x, want %d of %s", file.Href, w.Code, w.Body.Len(), sum, file.Bytes, file.SHA256)
			}
			opened, err := parquet.OpenFile(bytes.NewReader(w.Body.Bytes()), file.Bytes)
			must(t, err)
			position, _ := opened.Lookup("position")
			for name, want := range map[string]string{
				"Content-Type": "application/vnd.apache.parquet", "Content-Length": strconv.FormatInt(file.Bytes, 10), "Content-Encoding": "",
				"Etag": file.ETag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie", "Accept-Ranges": "bytes",
				"Content-Disposition": fmt.Sprintf(`attachment; filename="%s_%s.parquet"`, dataset, file.Month), "Last-Modified": "",
				"X-Courant-Position": position, "X-Courant-Attribution": market.Attribution(dataset.About().Source),
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %s %q, want %q", file.Href, name, got, want)
				}
			}
			if opened.NumRows() != int64(file.Rows) || file.Rows == 0 || len(file.ETag) < 20 {
				t.Errorf("%s has %d rows, want %d; tag %s", file.Href, opened.NumRows(), file.Rows, file.ETag)
			}
			if head := f.ask(t, "HEAD", file.Href, admin); head.Code != 200 || head.Body.Len() > 0 || head.Header().Get("Etag") != file.ETag {
				t.Errorf("HEAD %s answers %d, %v", file.Href, head.Code, head.Header())
			}
		}
	}
	if runtime.GOOS != "windows" {
		err := filepath.WalkDir(f.store.Path()+".archive", func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err == nil && info.Mode().Perm()&0o077 != 0 && entry.Name() != "lock" {
				t.Errorf("%s has the rights %o", path, info.Mode().Perm())
			}
			return err
		})
		must(t, err)
	}
}

func TestPartsOfAnArchivedMonthMayBeAskedFor(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, october)
	file := f.archive(t, market.DayAheadPrices, admin)[0]
	whole := f.ask(t, "GET", file.Href, admin).Body.Bytes()
	size := strconv.Itoa(len(whole))
	for _, test := range []struct {
		name    string
		asks    []func(*http.Request)
		code    int
		body    []byte
		content string
	}{
		{"its tag", []func(*http.Request){header("If-None-Match", file.ETag)}, 304, nil, ""},
		{"one of several tags", []func(*http.Request){header("If-None-Match", `"x", `+file.ETag)}, 304, nil, ""},
		{"another tag", []func(*http.Request){header("If-None-Match", `"x"`)}, 200, whole, ""},
		{"a beginning", []func(*http.Request){header("Range", "bytes=0-3")}, 206, []byte("PAR1"), "bytes 0-3/" + size},
		{"an end", []func(*http.Request){header("Range", "bytes=-4")}, 206, []byte("PAR1"), fmt.Sprintf("bytes %d-%d/%s", len(whole)-4, len(whole)-1, size)},
		{"the rest", []func(*http.Request){header("Range", "bytes=4-")}, 206, whole[4:], fmt.Sprintf("bytes 4-%d/%s", len(whole)-1, size)},
		{"the rest of the same", []func(*http.Request){header("Range", "bytes=4-"), header("If-Range", file.ETag)}, 206, whole[4:],
			fmt.Sprintf("bytes 4-%d/%s", len(whole)-1, size)},
		{"the rest of another", []func(*http.Request){header("Range", "bytes=4-"), header("If-Range", `"x"`)}, 200, whole, ""},
		{"a unit in capitals", []func(*http.Request){header("Range", "BYTES=0-3")}, 206, []byte("PAR1"), "bytes 0-3/" + size},
		{"another unit", []func(*http.Request){header("Range", "rows=0-3")}, 200, whole, ""},
		{"no unit", []func(*http.Request){header("Range", "0-3")}, 200, whole, ""},
		{"if it has its tag", []func(*http.Request){header("If-Match", file.ETag)}, 200, whole, ""},
		{"if it has another tag", []func(*http.Request){header("If-Match", `"x"`)}, 412, nil, ""},
		{"beyond the end", []func(*http.Request){header("Range", "bytes="+size+"-")}, 416, nil, "bytes */" + size},
		{"the last 0 bytes", []func(*http.Request){header("Range", "bytes=-0")}, 416, nil, "bytes */" + size},
		{"an end before its beginning", []func(*http.Request){header("Range", "bytes=5-2")}, 416, nil, "bytes */" + size},
	} {
		w := f.ask(t, "GET", file.Href, append(test.asks, admin)...)
		if w.Code != test.code || w.Header().Get("Content-Range") != test.content {
			t.Errorf("%s: %d, Content-Range %q, want %d, %q", test.name, w.Code, w.Header().Get("Content-Range"), test.code, test.content)
		}
		if code := map[int]string{412: "precondition_failed", 416: "range_not_satisfiable"}[test.code]; code != "" {
			if p := problemOf(t, w); p.Code != code || w.Header()["Content-Disposition"] != nil || w.Header()["X-Courant-Position"] != nil {
				t.Errorf("%s: %+v, %v", test.name, p, w.Header())
			}
		} else if !bytes.Equal(w.Body.Bytes(), test.body) {
			t.Errorf("%s: %d bytes, want %d", test.name, w.Body.Len(), len(test.body))
		}
	}
	if w := f.ask(t, "HEAD", file.Href, admin, header("Range", "bytes=0-3")); w.Code != 200 || w.Header().Get("Content-Length") != size {
		t.Errorf("HEAD of a part answers %d, Content-Length %s", w.Code, w.Header().Get("Content-Length"))
	}
}

func TestAMonthThatCannotBeReadIsLeftOutOfTheArchive(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, october, november)
	change(t, f, "UPDATE afrr_energy_hour SET checksum = checksum + 1 WHERE start = (SELECT min(start) FROM afrr_energy_hour)")
	if files := f.archive(t, market.AFRREnergy, admin); len(files) != 1 || files[0].Month != "2026-11" {
		t.Errorf("files %+v", files)
	}
	if log := f.log.String(); strings.Count(log, "months left out of the archive") != 1 || !strings.Contains(log, "2026-10-24T22:00Z") {
		t.Errorf("log %s", log)
	}
	for month, want := range map[string]int{"2026-10": 500, "2026-11": 200} {
		if w := f.ask(t, "GET", "/api/datasets/afrr-energy/archive/"+month+".parquet", admin); w.Code != want {
			t.Errorf("%s answers %d, want %d", month, w.Code, want)
		}
	}
}

func TestAnArchivedMonthIsMadeAgainOnlyWhenItHasChanged(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, october, november)
	before := f.archive(t, market.DayAheadPrices, admin)
	made := func(file archived) time.Time {
		t.Helper()
		info, err := os.Stat(filepath.Join(f.store.Path()+".archive", "dataset=day-ahead-prices/year=2026/month="+file.Month[5:], "part.parquet"))
		must(t, err)
		return info.ModTime()
	}
	times := []time.Time{made(before[0]), made(before[1])}
	f.commit(t, revised(november, 1))
	if w := f.ask(t, "GET", before[1].Href, admin, header("If-None-Match", before[1].ETag)); w.Code != 200 || w.Header().Get("Etag") == before[1].ETag {
		t.Errorf("the revised month answers %d with %s", w.Code, w.Header().Get("Etag"))
	}
	if w := f.ask(t, "GET", before[0].Href, admin, header("If-None-Match", before[0].ETag)); w.Code != 304 {
		t.Errorf("the other month answers %d", w.Code)
	}
	after := f.archive(t, market.DayAheadPrices, admin)
	if after[0] != before[0] || after[1].SHA256 == before[1].SHA256 || made(after[0]) != times[0] {
		t.Errorf("before %+v, after %+v", before, after)
	}
	// A file that someone has deleted is made again, with the same bytes.
	must(t, os.RemoveAll(filepath.Join(f.store.Path()+".archive", "dataset=day-ahead-prices")))
	if w := f.ask(t, "GET", before[0].Href, admin); w.Code != 200 || w.Header().Get("Etag") != before[0].ETag || int64(w.Body.Len()) != before[0].Bytes {
		t.Errorf("deleted, it answers %d with %d bytes, tag %s", w.Code, w.Body.Len(), w.Header().Get("Etag"))
	}
}

func TestTheFolderOfTheArchiveMayBeDeletedAtAnyTime(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, october, november)
	href := f.archive(t, market.DayAheadPrices, admin)[0].Href
	want := f.rows(t, href, admin).Body.String()
	for _, folder := range []string{"", "/_courant", "/dataset=day-ahead-prices"} {
		must(t, os.RemoveAll(f.store.Path()+".archive"+folder))
		if len(f.archive(t, market.DayAheadPrices, admin)) != 2 || f.rows(t, href, admin).Body.String() != want {
			t.Errorf("without %q the month is another", folder)
		}
		f.archive(t, market.MFRREnergy, admin)
	}
	must(t, os.Truncate(f.store.Path()+".archive/dataset=day-ahead-prices/year=2026/month=10/part.parquet", 100))
	if f.rows(t, href, admin).Body.String() != want {
		t.Error("a file that was cut short is sent as it is")
	}
}

func TestAMonthIsClosedOnceItIsOverWholeAndSettled(t *testing.T) {
	t.Parallel()
	var found report.Report
	f := open(t, func(o *api.Options) {
		o.RateLimitPerMinute = 1_000_000
		o.Report = func(context.Context, bool) (report.Report, error) { return found, nil }
	})
	admin := f.admin(t)
	month := market.MonthOf(october)
	quarters := func(dates ...market.DeliveryDate) (prices []market.Price) {
		for _, date := range dates {
			for start := date.Period().Start; start < date.Period().End; start += market.QuarterSeconds {
				prices = append(prices, market.Price{Start: start, Resolution: market.PT15M, Price: market.Num(1)})
			}
		}
		return prices
	}
	f.commit(t, market.Prices.Batch(quarters(market.Dates(month.First().Add(1), month.Last())...)))
	settled := month.Last().Add(market.DayAheadPrices.RereadDays()).End()
	status := func(missing ...report.Missing) report.Report {
		return report.Report{Datasets: []report.Status{{Dataset: market.DayAheadPrices, Missing: missing}}}
	}
	check := func(name string, now time.Time, is report.Report, want bool) {
		t.Helper()
		found = is
		f.clock.Advance(now.Sub(f.clock.Now()))
		file := f.archive(t, market.DayAheadPrices, admin)[0]
		w := f.ask(t, "GET", file.Href, admin)
		cache := map[bool]string{true: "private, max-age=31536000, immutable", false: "private, no-cache"}[want]
		if got := w.Header().Get("Cache-Control"); file.Closed != want || got != cache || w.Header().Get("Vary") != "Authorization, Cookie" {
			t.Errorf("%s: closed %t, Cache-Control %s; want %t", name, file.Closed, got, want)
		}
	}
	check("its first date is not stored", settled, status(), false)
	f.commit(t, market.Prices.Batch(quarters(month.First())))
	check("its dates may be read again", settled.Add(-time.Second), status(), false)
	check("settled", settled, status(), true)
	check("a date of it is not whole", settled, status(report.Missing{Date: october}), false)
	check("a date of another month is not whole", settled, status(report.Missing{Date: november}), true)
	waits := status()
	waits.Quarantine = []report.Waiting{{Dataset: market.DayAheadPrices, Date: october}}
	check("a date of it waits for a decision", settled, waits, false)
	waits.Quarantine[0].Dataset = market.MFRREnergy
	check("a date of another dataset waits", settled, waits, true)
	wrong := status()
	wrong.Clock = &report.Clock{Wrong: true}
	check("the clock is wrong", settled, wrong, false)
}

func TestAMonthWithProvisionalImbalancePricesIsNotClosed(t *testing.T) {
	t.Parallel()
	f := open(t)
	admin := f.admin(t)
	month := market.MonthOf(market.NewDeliveryDate(2025, time.January, 1))
	steps := func(status string) (rows []market.ImbalanceStep) {
		for start := month.Period().Start; start < month.Period().End; start += market.QuarterSeconds {
			rows = append(rows, market.ImbalanceStep{Start: start, PositivePrice: market.Num(1), Status: market.Str(status)})
		}
		return rows
	}
	for _, status := range []string{"provisional", "validated", "settled"} {
		want := status == "settled"
		f.commit(t, market.Imbalance.Batch(steps(status)))
		if got := f.archive(t, market.ImbalancePrices, admin)[0]; got.Closed != want {
			t.Errorf("%s: closed %t, %d rows", status, got.Closed, got.Rows)
		}
	}
}

func TestAMonthWithAThinnedDateIsGone(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, october, november)
	if files := f.archive(t, market.AFRREnergy, admin); len(files) != 2 {
		t.Fatalf("files %+v", files)
	}
	_, err := f.store.ThinAFRR(t.Context(), november, f.clock.Now())
	must(t, err)
	if files := f.archive(t, market.AFRREnergy, admin); len(files) != 1 || files[0].Month != "2026-11" {
		t.Errorf("files %+v", files)
	}
	w := f.ask(t, "GET", "/api/datasets/afrr-energy/archive/2026-10.parquet", admin, english)
	if w.Code != 410 || w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(w.Body.String(), `"code":"gone"`) {
		t.Errorf("it answers %d %s", w.Code, w.Body)
	}
	must(t, f.options.Archive.Make(t.Context(), market.AFRREnergy, func(market.Month) bool { return true }))
	folder := f.store.Path() + ".archive/dataset=afrr-energy/year=2026/month="
	for month, want := range map[string]error{"10": fs.ErrNotExist, "11": nil} {
		if _, err := os.Lstat(folder + month + "/part.parquet"); !errors.Is(err, want) {
			t.Errorf("the file of %s: %v, want %v", month, err, want)
		}
	}
}

func TestWhatIsNotInTheArchiveIsNotFound(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, october)
	const archive = "/api/datasets/day-ahead-prices/archive"
	for path, want := range map[string]int{
		archive + "/2026-09.parquet": 404, archive + "/2026-13.parquet": 404, archive + "/2026-10.csv": 404, archive + "/2026-10": 404,
		archive + "/2026-10-01.parquet": 404, archive + "/..%2f2026-10.parquet": 404, archive + "/.parquet": 404, archive + "/": 404,
		"/api/datasets/nothing/archive": 404, "/api/datasets/nothing/archive/2026-10.parquet": 404,
		archive + "?limit=1": 400, archive + "/2026-10.parquet?format=csv": 400, archive + "/2026-10.parquet": 200,
	} {
		if w := f.ask(t, "GET", path, admin); w.Code != want || want != 200 && w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s answers %d %s, want %d", path, w.Code, w.Header().Get("Content-Type"), want)
		}
	}
	if w := f.ask(t, "POST", archive, admin); w.Code != 405 {
		t.Errorf("POST answers %d", w.Code)
	}
	empty := open(t)
	if files := empty.archive(t, market.AFRREnergy, empty.admin(t)); len(files) != 0 {
		t.Errorf("an empty dataset has %+v", files)
	}
}

func TestTheArchiveMayBeReadByThoseWhoMayReadItsDataset(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *api.Options) { o.RateLimitPerMinute = 1_000_000 })
	f.commit(t, marketOn(october))
	f.refresh(t)
	for _, who := range callers(t, f) {
		for _, dataset := range market.Datasets() {
			rows := f.ask(t, "GET", rowsPath(dataset, "limit=1"), who.dress...)
			for _, path := range []string{"/archive", "/archive/2026-10.parquet"} {
				w := f.ask(t, "GET", "/api/datasets/"+string(dataset)+path, who.dress...)
				if w.Code != rows.Code || w.Header().Get("Www-Authenticate") != rows.Header().Get("Www-Authenticate") {
					t.Errorf("%s: %s of %s answers %d, its rows %d", who.name, path, dataset, w.Code, rows.Code)
				}
			}
		}
	}
}

func TestFilesThatTakeLongAreMadeInTheBackground(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, october)
	f.DoNotWaitForArchive()
	var w *httptest.ResponseRecorder
	for range 2 {
		w = f.ask(t, "GET", "/api/datasets/afrr-energy/archive/2026-10.parquet", admin, english)
		if w.Code == 503 && (w.Header().Get("Retry-After") != "10" || !strings.Contains(w.Body.String(), "The files are being prepared")) {
			t.Errorf("it answers %d, Retry-After %s: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
		}
		f.Settle()
	}
	if w.Code != 200 {
		t.Errorf("made, it answers %d: %s", w.Code, w.Body)
	}
}

func TestMakingAFileCountsAsALongAnswer(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, october)
	const path = "/api/datasets/mfrr-energy/archive/2026-10.parquet"
	release := f.FillLongAnswers()
	if w := f.ask(t, "GET", path, admin); w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("it answers %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	release()
	if w := f.ask(t, "GET", path, admin); w.Code != 200 {
		t.Errorf("it answers %d", w.Code)
	}
	defer f.FillLongAnswers()()
	if w := f.ask(t, "GET", path, admin); w.Code != 200 {
		t.Errorf("made, it answers %d", w.Code)
	}
}

func TestSimulatedMonthsSayThatTheyAre(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *api.Options) { o.Simulated = true })
	f.commit(t, marketOn(october))
	w := f.ask(t, "GET", "/api/datasets/day-ahead-prices/archive/2026-10.parquet", f.admin(t))
	opened, err := parquet.OpenFile(bytes.NewReader(w.Body.Bytes()), int64(w.Body.Len()))
	must(t, err)
	if said, _ := opened.Lookup("simulated"); said != "true" || w.Header().Get("X-Courant-Data") != "simulated" {
		t.Errorf("simulated %q, header %q", said, w.Header().Get("X-Courant-Data"))
	}
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="simulated_day-ahead-prices_2026-10.parquet"` {
		t.Errorf("Content-Disposition %s", got)
	}
}

func TestTheArchiveIsAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	f, admin := withMarket(t, reporting(inState("ok")))
	doc := document(t, f)
	const list, file = "/api/datasets/{dataset}/archive", "/api/datasets/{dataset}/archive/{month}.parquet"
	answer := f.ask(t, "GET", "/api/datasets/fcr-capacity/archive", admin)
	if err := fits(t, doc, list, "/api/datasets/fcr-capacity/archive", answer.Code, answer.Header(), answer.Body.Bytes()); err != nil || answer.Code != 200 {
		t.Errorf("%d: %v", answer.Code, err)
	}
	for _, path := range []string{list, file} {
		for _, status := range []int{400, 401, 403, 404, 429} {
			if doc.Paths.Find(path).Get.Responses.Status(status) == nil {
				t.Errorf("%s: the document has no %d", path, status)
			}
		}
	}
	sent := f.ask(t, "GET", f.archive(t, market.FCRCapacity, admin)[0].Href, admin)
	described := doc.Paths.Find(file).Get.Responses
	for name := range sent.Header() {
		if strings.HasPrefix(name, "X-Courant") && described.Status(200).Value.Headers[name] == nil {
			t.Errorf("the document has no header %s", name)
		}
	}
	for _, status := range []int{304, 410, 416} {
		if described.Status(status) == nil {
			t.Errorf("the document has no %d of a file", status)
		}
	}
}
