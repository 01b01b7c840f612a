package command

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"courant/server"
	"courant/server/config"
	"courant/store"
	"courant/store/backup"
	"courant/store/market"
	"courant/store/storetest"
)

// withBucket has the environment name a bucket.
func withBucket(t *testing.T, cfg config.S3) {
	t.Helper()
	for name, value := range map[string]string{
		"ENDPOINT": cfg.Endpoint, "BUCKET": cfg.Bucket, "PREFIX": cfg.Prefix, "REGION": cfg.Region,
		"ACCESS_KEY": cfg.AccessKey, "SECRET_KEY": cfg.SecretKey.Reveal(),
	} {
		t.Setenv("COURANT_BACKUP_S3_"+name, value)
	}
}

// What a service has sent to a bucket is found by check, and put back on a machine that has nothing but the configuration.
func TestABackupInABucketIsFoundAndPutBackAsItWas(t *testing.T) {
	h := newDesk(t, market.NewDeliveryDate(2026, time.November, 20).At(12, 0))
	objects := newObjectStore(t)
	withBucket(t, objects.config("paris/"))
	cfg := valueOf((&Program{Stderr: t.Output()}).config())(t)
	if said := textOf(checkBucket(t.Context(), cfg.Backup.S3, h.clock.Now())); said != "ok s3://backups/paris answers and holds no backup yet" {
		t.Error(said)
	}
	h.do("", "fetch", "all", "--from", "yesterday", "--to", "yesterday")
	h.do("", "backup", "same.db")
	db, err := store.OpenAlone(t.Context(), cfg.Database.Path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	backups := &backup.Schedule{Options: backup.Options{
		Store: db, Clock: h.clock, Log: slog.New(slog.DiscardHandler), Destinations: valueOf(backup.Destinations("", server.BucketOf(cfg.Backup.S3)))(t),
		OnNewest: func(_ string, begun time.Time) {
			if !begun.IsZero() {
				stop()
			}
		},
	}}
	backups.Run(ctx)
	backups.Close()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	said := textOf(checkBucket(t.Context(), cfg.Backup.S3, h.clock.Now()))
	newest := strings.TrimPrefix(said, "ok it answers; the newest backup in it is ")
	if newest != "s3://backups/paris/courant-20261120T110000Z.db.zst" {
		t.Fatal(said)
	}
	elsewhere := storetest.Folder(t)
	t.Setenv("COURANT_DATABASE_PATH", filepath.Join(elsewhere, "courant.db"))
	h.do("", "restore", newest)
	if got, same := valueOf(os.ReadFile(filepath.Join(elsewhere, "courant.db")))(t), valueOf(os.ReadFile("same.db"))(t); !bytes.Equal(got, same) {
		t.Error("the database is another")
	}
	printed := h.do("", "restore", newest)
	if !strings.Contains(printed, "the earlier database is kept as "+filepath.Join(elsewhere, "courant.db.before-restore-")) {
		t.Error(printed)
	}
	for _, name := range fileNames(t, elsewhere) {
		if strings.Contains(name, ".download") {
			t.Errorf("%s is left", name)
		}
	}
}

func TestWhatCannotBeRestoredFromABucketLeavesTheDatabaseAsItIs(t *testing.T) {
	t.Chdir(storetest.Folder(t))
	objects := newObjectStore(t)
	objects.put("notes.zst", []byte("no backup"))
	objects.put("notes.db", []byte("no backup"))
	if err := os.WriteFile("courant.db.download.db", nil, 0o600); err != nil { // of a restore that was killed
		t.Fatal(err)
	}
	withBucket(t, objects.config(""))
	for from, says := range map[string]string{
		"s3://backups":            "is not s3://BUCKET/KEY: write one such as s3://backups/courant/courant-20261124T023000Z.db.zst",
		"s3://No_Bucket/key":      "is not s3://BUCKET/KEY",
		"s3://backups/missing.db": "download s3://backups/missing.db: no such file: courant check names the newest backup",
		"s3://another/missing.db": "there is no such bucket",
		"s3://backups/notes.db":   "s3://backups/notes.db, downloaded: not a Courant database: ",
		"s3://backups/notes.zst":  "s3://backups/notes.zst, downloaded: ",
	} {
		_, err := restore(t.Context(), valueOf((&Program{Stderr: t.Output()}).config())(t), from, bucketNoon)
		if err == nil || !strings.Contains(message(err), says) || strings.Contains(message(err), testSecretKey) {
			t.Errorf("%s: %v", from, err)
		}
	}
	withBucket(t, config.S3{})
	_, err := restore(t.Context(), config.Default(), "s3://backups/notes.db", bucketNoon)
	if err == nil || !strings.Contains(err.Error(), "set backup.s3 first") {
		t.Errorf("without a bucket: %v", err)
	}
	for _, name := range fileNames(t, ".") {
		if name != "courant.db.inuse" {
			t.Errorf("%s is left", name)
		}
	}
}

func TestCheckExplainsTheErrorsOfABucket(t *testing.T) {
	objects := newObjectStore(t)
	another := objects.config("")
	another.Bucket = "another"
	nowhere := objects.config("")
	nowhere.Endpoint = "http://127.0.0.1:1"
	for _, test := range []struct {
		cfg  config.S3
		want string
	}{
		{another, "FAIL list s3://another/courant-: there is no such bucket: create it, or correct backup.s3.bucket"},
		{nowhere, "connection refused: correct backup.s3.endpoint if this lasts"},
	} {
		if got := textOf(checkBucket(t.Context(), test.cfg, bucketNoon)); !strings.Contains(got, test.want) || strings.Contains(got, testSecretKey) {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}

func TestRestoreReportsWhetherThereWasAChecksum(t *testing.T) {
	h := newDesk(t, market.NewDeliveryDate(2026, time.November, 20).At(12, 0))
	h.do("several words of one's own\n", "user", "add", "anne@example.org", "--password-stdin")
	h.do("", "backup", "made.db")
	const missing = "there is no made.db.sha256: it was checked, but compared with no checksum"
	if said := h.do("", "restore", "made.db"); strings.Contains(said, missing) {
		t.Error(said)
	}
	if err := os.Remove("made.db.sha256"); err != nil {
		t.Fatal(err)
	}
	if said := h.do("", "restore", "made.db"); !strings.Contains(said, missing) {
		t.Error(said)
	}
}

func TestForeignObjectsAreReportedByBackupAndCheck(t *testing.T) {
	h := newDesk(t, market.NewDeliveryDate(2026, time.November, 20).At(12, 0))
	h.do("several words of one's own\n", "user", "add", "anne@example.org", "--password-stdin")
	h.do("", "backup", "before.db")
	other := valueOf(sql.Open("sqlite", "courant.db"))(t)
	if _, err := other.ExecContext(t.Context(), "CREATE VIEW mine AS SELECT 1"); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if said := h.do("", "backup", "made.db"); !strings.Contains(said, `courant restore will refuse it, because these are not Courant's: view "mine"`) {
		t.Error(said)
	}
	if v := checkDatabase(t.Context(), "courant.db"); !v.warns || !strings.Contains(textOf(v), `for what is not Courant's: view "mine"`) {
		t.Error(textOf(v))
	}
}

var bucketNoon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const (
	testBucket    = "backups"
	testSecretKey = "the-secret-key"
)

// objectStore is an S3-compatible store in memory, with one bucket.
type objectStore struct {
	t       *testing.T
	backend *s3mem.Backend
	url     string
}

func newObjectStore(t *testing.T) *objectStore {
	t.Helper()
	o := &objectStore{t: t, backend: s3mem.New()}
	if err := o.backend.CreateBucket(testBucket); err != nil {
		t.Fatal(err)
	}
	served := httptest.NewServer(gofakes3.New(o.backend).Server())
	t.Cleanup(served.Close)
	o.url = served.URL
	return o
}

func (o *objectStore) config(prefix string) config.S3 {
	return config.S3{Endpoint: o.url, Bucket: testBucket, Prefix: prefix, Region: "fr", AccessKey: "the-access-key", SecretKey: testSecretKey}
}

func (o *objectStore) put(key string, content []byte) {
	o.t.Helper()
	if _, err := o.backend.PutObject(testBucket, key, map[string]string{"Last-Modified": "Tue, 24 Nov 2026 12:00:00 GMT"}, bytes.NewReader(content), int64(len(content)), nil); err != nil {
		o.t.Fatal(err)
	}
}

// fileNames are those of a folder's files.
func fileNames(t *testing.T, folder string) (names []string) {
	t.Helper()
	for _, entry := range valueOf(os.ReadDir(folder))(t) {
		names = append(names, entry.Name())
	}
	return names
}
