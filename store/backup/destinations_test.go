package backup

import (
	"bytes"
	"encoding/xml"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/jonboulle/clockwork"
	"github.com/minio/minio-go/v7"

	"courant/store"
	"courant/store/backup/s3"
	"courant/store/storetest"
)

const (
	testBucket    = "backups"
	testSecretKey = "the-secret-key"
)

func TestMain(m *testing.M) {
	minio.DefaultRetryUnit = time.Millisecond // of the pauses before calls to a bucket are repeated
	os.Exit(m.Run())
}

// objectStore is an S3-compatible store in memory, with one bucket.
type objectStore struct {
	t       *testing.T
	backend *s3mem.Backend
	url     string
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
		if instead := o.instead.Load(); instead == nil || !(*instead)(w, r) {
			served.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	o.url = server.URL
	return o
}

// answer has the store answer some requests otherwise from now on; nil: none.
func (o *objectStore) answer(instead func(http.ResponseWriter, *http.Request) bool) {
	if instead == nil {
		o.instead.Store(nil)
		return
	}
	o.instead.Store(&instead)
}

// refuse answers as stores do.
func refuse(w http.ResponseWriter, status int, code string) bool {
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(gofakes3.ErrorResponse{Code: gofakes3.ErrorCode(code)})
	return true
}

// full is a store in which there is no more room.
func full(w http.ResponseWriter, r *http.Request) bool {
	return r.Method == http.MethodPut && refuse(w, http.StatusInsufficientStorage, "QuotaExceeded")
}

// lossy is a store that reports another size than that of the upload, and refuses deletions.
func lossy(w http.ResponseWriter, r *http.Request) bool {
	switch r.Method {
	case http.MethodHead:
		w.Header().Set("Content-Length", "1")
		w.Header().Set("Last-Modified", "Tue, 24 Nov 2026 12:00:00 GMT")
		return true
	case http.MethodDelete:
		return refuse(w, http.StatusForbidden, "AccessDenied")
	}
	return false
}

func (o *objectStore) config(prefix string) s3.Place {
	return s3.Place{
		Options: s3.Options{Endpoint: o.url, Name: testBucket, Region: "fr", AccessKey: "the-access-key", SecretKey: testSecretKey}, Prefix: prefix,
	}
}

func (o *objectStore) put(key string, content []byte) {
	o.t.Helper()
	if _, err := o.backend.PutObject(testBucket, key, map[string]string{"Last-Modified": "Tue, 24 Nov 2026 12:00:00 GMT"}, bytes.NewReader(content), int64(len(content)), nil); err != nil {
		o.t.Fatal(err)
	}
}

func (o *objectStore) keys() (keys []string) {
	o.t.Helper()
	list, err := o.backend.ListBucket(testBucket, &gofakes3.Prefix{}, gofakes3.ListBucketPage{})
	if err != nil {
		o.t.Fatal(err)
	}
	for _, object := range list.Contents {
		keys = append(keys, object.Key)
	}
	return keys
}

func (o *objectStore) content(key string) []byte {
	o.t.Helper()
	object, err := o.backend.GetObject(testBucket, key, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	defer object.Contents.Close()
	return must(io.ReadAll(object.Contents))(o.t)
}

// fileNames are those of a folder's files.
func fileNames(t *testing.T, folder string) (names []string) {
	t.Helper()
	for _, entry := range must(os.ReadDir(folder))(t) {
		names = append(names, entry.Name())
	}
	return names
}

// config is where backups go and how many stay.
type config struct {
	To   string
	S3   s3.Place
	Keep Keep
}

// nightly is the backups of a service, with a clock that stands.
type nightly struct {
	*Schedule
	clock *clockwork.FakeClock
	log   *bytes.Buffer
	dir   string               // of the database
	mu    sync.Mutex           // of told
	told  map[string]time.Time // when the newest backup of a kind of place was begun
}

func newNightly(t *testing.T, now time.Time, cfg config) *nightly {
	t.Helper()
	n := &nightly{clock: clockwork.NewFakeClockAt(now), log: new(bytes.Buffer), dir: storetest.Folder(t), told: map[string]time.Time{}}
	path := filepath.Join(n.dir, "courant.db")
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	n.Schedule = &Schedule{Options{
		Store: db, Clock: n.clock, Log: slog.New(slog.NewTextHandler(n.log, nil)), At: 3*60 + 30, Keep: cfg.Keep, Destinations: must(Destinations(cfg.To, cfg.S3))(t),
		OnNewest: func(kind string, begun time.Time) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.told[kind] = begun
		},
	}}
	t.Cleanup(n.Close)
	return n
}

// newest is when the newest backup of a kind of place was begun, as it was told.
func (n *nightly) newest(kind string) time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.told[kind]
}

// round makes the backups that are due now, and tells of them.
func (n *nightly) round(t *testing.T) {
	t.Helper()
	for _, p := range n.Destinations {
		p.due = n.nextDue(t.Context(), p)
	}
	n.backUpDue(t.Context())
	for _, p := range n.Destinations {
		p.due = n.nextDue(t.Context(), p)
	}
	for _, name := range fileNames(t, n.dir) {
		if strings.Contains(name, uploadSuffix) {
			t.Errorf("%s is left beside the database", name)
		}
	}
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}
