package lake

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"courant/server/api/format"
	"courant/store/backup/s3"
	"courant/store/market"
	"courant/store/storetest"
)

const (
	testBucket    = "lake"
	testSecretKey = "the-secret-key"
)

// objectStore is an S3-compatible store in memory, with one bucket.
type objectStore struct {
	t       *testing.T
	backend *s3mem.Backend
	url     string
	puts    atomic.Int64
	instead atomic.Pointer[func(w http.ResponseWriter, r *http.Request) (answered bool)]
}

func newObjectStore(t *testing.T) *objectStore {
	t.Helper()
	o := &objectStore{t: t, backend: s3mem.New()}
	if err := o.backend.CreateBucket(testBucket); err != nil {
		t.Fatal(err)
	}
	served := gofakes3.New(o.backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			o.puts.Add(1)
		}
		if instead := o.instead.Load(); instead == nil || !(*instead)(w, r) {
			served.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	o.url = server.URL
	return o
}

// answer makes the store answer some requests differently from now on; nil: none.
func (o *objectStore) answer(instead func(http.ResponseWriter, *http.Request) bool) {
	if instead == nil {
		o.instead.Store(nil)
		return
	}
	o.instead.Store(&instead)
}

// lake opens the lake in the bucket until the test ends.
func (o *objectStore) lake(d *desk) *Lake {
	o.t.Helper()
	l := must(InBucket(d.db, s3.Place{Prefix: "courant/", Options: s3.Options{
		Endpoint: o.url, Name: testBucket, Region: "fr", AccessKey: "the-access-key", SecretKey: testSecretKey, IdleTimeout: 200 * time.Millisecond,
	}}, false))(o.t)
	o.t.Cleanup(func() { l.Close() })
	return l
}

// contents are the objects but the manifests, with their bytes.
func (o *objectStore) contents() map[string]string {
	o.t.Helper()
	list := must(o.backend.ListBucket(testBucket, &gofakes3.Prefix{}, gofakes3.ListBucketPage{}))(o.t)
	all := map[string]string{}
	for _, object := range list.Contents {
		if strings.HasPrefix(object.Key, "courant/"+stateFolder) {
			continue
		}
		read := must(o.backend.GetObject(testBucket, object.Key, nil))(o.t)
		all[strings.TrimPrefix(object.Key, "courant/")] = string(must(io.ReadAll(read.Contents))(o.t))
		read.Contents.Close()
	}
	return all
}

func TestABucketHasTheFilesOfAFolderAndOnlyThoseThatHaveChangedAreSent(t *testing.T) {
	t.Parallel()
	d, folder, objects := newDesk(t), storetest.Folder(t), newObjectStore(t)
	prices := Request{Dataset: market.DayAheadPrices}
	d.prices("2026-10-25", 1)
	d.prices("2026-11-01", 1)
	l := objects.lake(d)
	d.update(l, prices, "2026-10: 100 rows, written", "2026-11: 96 rows, written")
	d.update(d.folder(folder), prices, "2026-10: 100 rows, written", "2026-11: 96 rows, written")
	want := contents(t, folder)
	got := objects.contents()
	if !slices.Equal(names(got), []string{pricesOctober, pricesNovember}) || got[pricesOctober] != want[pricesOctober] || got[pricesNovember] != want[pricesNovember] {
		t.Errorf("the bucket has %q", names(got))
	}
	objects.puts.Store(0)
	d.update(l, prices, "2026-10: 100 rows", "2026-11: 96 rows")
	if n := objects.puts.Load(); n != 0 {
		t.Errorf("%d uploads of what is up to date", n)
	}
	d.prices("2026-11-02", 1)
	d.update(l, prices, "2026-10: 100 rows", "2026-11: 192 rows, written")
	if n := objects.puts.Load(); n != 2 {
		t.Errorf("%d uploads, want those of a file and of the manifest", n)
	}
	// What another program put there is replaced, although it has the same size.
	other := strings.Repeat("x", len(want[pricesOctober]))
	_, err := objects.backend.PutObject(testBucket, "courant/"+pricesOctober, map[string]string{"Last-Modified": "Tue, 24 Nov 2026 12:00:00 GMT"},
		strings.NewReader(other), int64(len(other)), nil)
	if err != nil {
		t.Fatal(err)
	}
	d.update(l, prices, "2026-10: 100 rows, written", "2026-11: 192 rows")
	if got := objects.contents(); got[pricesOctober] != want[pricesOctober] {
		t.Error("the file is another")
	}
	beside := must(filepath.Glob(d.db.Path() + exportSuffix + "*"))(t)
	if len(beside) > 0 {
		t.Errorf("left beside the database: %q", beside)
	}
}

// refuse answers as stores do.
func refuse(w http.ResponseWriter, status int, code string) bool {
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(gofakes3.ErrorResponse{Code: gofakes3.ErrorCode(code)})
	return true
}

func TestABucketThatFailsHasOnlyWholeFilesAndTheNextRunGoesOn(t *testing.T) {
	t.Parallel()
	isFile := func(r *http.Request) bool { return strings.Contains(r.URL.Path, "month=11") }
	for name, test := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request) bool
		is     error
		says   string
	}{
		"full": {func(w http.ResponseWriter, r *http.Request) bool {
			return r.Method == http.MethodPut && isFile(r) && refuse(w, http.StatusInsufficientStorage, "QuotaExceeded")
		}, s3.ErrFull, "upload s3://lake/courant/" + pricesNovember + ": the bucket is full"},
		"lies about what it stored": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodHead || !isFile(r) {
				return false
			}
			w.Header().Set("Content-Length", "1")
			w.Header().Set("Last-Modified", "Tue, 24 Nov 2026 12:00:00 GMT")
			return true
		}, s3.ErrDamaged, "the bucket does not hold what was sent"},
		"hangs": {func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut || !isFile(r) {
				return false
			}
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			return true
		}, nil, "the store took too long"},
		"hangs at once": {func(_ http.ResponseWriter, r *http.Request) bool {
			<-r.Context().Done()
			return true
		}, nil, "the store took too long"},
		"is a web page": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<html>")
			return true
		}, s3.ErrNotS3, "what answers does not speak S3"},
		"has a manifest that is none": {func(w http.ResponseWriter, r *http.Request) bool {
			return r.Method == http.MethodPut && strings.Contains(r.URL.Path, stateFolder) && refuse(w, http.StatusForbidden, "AccessDenied")
		}, s3.ErrDenied, "upload s3://lake/courant/_courant/day-ahead-prices.json: the store does not allow it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, objects := newDesk(t), newObjectStore(t)
			prices := Request{Dataset: market.DayAheadPrices, Form: format.Parquet}
			d.prices("2026-10-25", 1)
			l := objects.lake(d)
			d.update(l, prices, "2026-10: 100 rows, written")
			before := objects.contents()
			d.prices("2026-11-01", 1)
			objects.answer(test.answer)
			_, err := l.Update(t.Context(), prices)
			if err == nil || test.is != nil && !errors.Is(err, test.is) || !errors.As(err, new(BucketError)) {
				t.Fatalf("Update = %v", err)
			}
			if said := err.Error(); !strings.Contains(said, test.says) || strings.Contains(said, testSecretKey) || strings.Contains(said, "\n") {
				t.Errorf("%s, want %s", said, test.says)
			}
			objects.answer(nil)
			for path, content := range objects.contents() {
				if path == pricesOctober && content != before[path] || path == pricesNovember && !strings.HasSuffix(content, "PAR1") {
					t.Errorf("%s is not whole", path)
				}
			}
			if left := must(filepath.Glob(d.db.Path() + exportSuffix + "*"))(t); len(left) > 0 {
				t.Errorf("left beside the database: %q", left)
			}
			d.update(l, prices, "2026-10: 100 rows", "2026-11: 96 rows, written")
			d.update(l, prices, "2026-10: 100 rows", "2026-11: 96 rows")
		})
	}
}

func TestAnUploadHasNoRoomOfItsOwnLeftBehind(t *testing.T) {
	t.Parallel()
	d, objects := newDesk(t), newObjectStore(t)
	d.prices("2026-10-25", 1)
	left := d.db.Path() + exportSuffix + ".courant-7.part" // of a killed export
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d.update(objects.lake(d), Request{Dataset: market.DayAheadPrices}, "2026-10: 100 rows, written")
	if left := must(filepath.Glob(d.db.Path() + exportSuffix + "*"))(t); len(left) > 0 {
		t.Errorf("left beside the database: %q", left)
	}
}
