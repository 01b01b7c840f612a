package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/store"
	"courant/store/backup/s3"
	"courant/store/market"
	"courant/store/storetest"
	"courant/store/storetest/await"
)

func TestTheScheduledBackupIsMadeOnceADayAndLeavesOtherFilesAlone(t *testing.T) {
	t.Parallel()
	folder, objects := storetest.Folder(t), newObjectStore(t)
	inFolder := func(name string) {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, place := range map[string]struct {
		kind  string
		cfg   config
		put   func(name string)
		names func() []string
	}{
		"folder": {"folder", config{To: folder}, inFolder, func() []string { return fileNames(t, folder) }},
		"bucket": {"bucket", config{S3: objects.config("servers/courant/")},
			func(name string) { objects.put("servers/courant/"+name, nil) },
			func() (names []string) {
				for _, key := range objects.keys() {
					names = append(names, strings.TrimPrefix(key, "servers/courant/"))
				}
				return names
			}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, name := range []string{"courant-20250101T000000Z.db", "courant-20250101T000000Z.db.zst.bak", "courant-2025.db.zst", "courant-20261025T023000.5Z.db.zst", "notes.txt", "courant-20260101T013000Z.db.zst"} {
				place.put(name)
			}
			place.cfg.Keep = Keep{Days: 2}
			n := newNightly(t, time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC), place.cfg) // the night after, the clock goes back
			made := make(chan struct{}, 10)
			n.Log = slog.New(onMessage{"backup", made})
			ctx, stop := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { n.Run(ctx) })
			await.Value(t, made) // the one that was missed
			for _, hours := range []time.Duration{14*time.Hour + 30*time.Minute, 24 * time.Hour} {
				if err := n.clock.BlockUntilContext(await.Context(t), 1); err != nil {
					t.Fatal(err)
				}
				n.clock.Advance(hours)
				await.Value(t, made)
			}
			if err := n.clock.BlockUntilContext(await.Context(t), 1); err != nil {
				t.Fatal(err)
			}
			if got, want := n.newest(place.kind), time.Date(2026, 10, 26, 2, 30, 0, 0, time.UTC); !got.Equal(want) {
				t.Errorf("the newest is told to be of %s, want %s", got, want)
			}
			stop()
			running.Wait()
			want := []string{"courant-2025.db.zst", "courant-20250101T000000Z.db", "courant-20250101T000000Z.db.zst.bak",
				"courant-20261025T023000.5Z.db.zst", "courant-20261025T023000Z.db.zst", "courant-20261026T023000Z.db.zst", "notes.txt"}
			if name == "folder" {
				want = slices.Sorted(slices.Values(append(want, "courant-20261025T023000Z.db.zst.sha256", "courant-20261026T023000Z.db.zst.sha256")))
			}
			if names := place.names(); !slices.Equal(names, want) {
				t.Errorf("there are %q, want %q", names, want)
			}
		})
	}
}

// onMessage is a log that tells of one message.
type onMessage struct {
	message string
	told    chan<- struct{}
}

func (onMessage) Enabled(context.Context, slog.Level) bool { return true }
func (h onMessage) Handle(_ context.Context, r slog.Record) error {
	if r.Message == h.message {
		h.told <- struct{}{}
	}
	return nil
}
func (h onMessage) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h onMessage) WithGroup(string) slog.Handler      { return h }

func TestABackupThatFailedIsTriedAgainAnHourLater(t *testing.T) {
	t.Parallel()
	n := newNightly(t, time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), config{To: filepath.Join(storetest.Folder(t), "not mounted"), Keep: Keep{Days: 2}})
	failed := make(chan struct{}, 10)
	n.Log = slog.New(onMessage{"backup failed", failed})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { n.Run(ctx) })
	await.Value(t, failed)
	for range 2 {
		if err := n.clock.BlockUntilContext(await.Context(t), 1); err != nil {
			t.Fatal(err)
		}
		n.clock.Advance(time.Hour)
		await.Value(t, failed)
	}
	stop()
	running.Wait()
	if len(n.told) != 1 || !n.newest("folder").IsZero() {
		t.Errorf("told: %v", n.told)
	}
}

var backupNoon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestAFailedUploadKeepsTheOlderBackupsAndIsExplained(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request) bool
		change func(*s3.Place)
		says   string
		metric time.Time
	}{
		"full": {answer: full, says: "the bucket is full",
			metric: time.Date(2026, 11, 23, 2, 30, 0, 0, time.UTC)},
		"what arrived is not what was sent": {answer: lossy, says: "the bucket does not hold what was sent: s3://backups/courant-20261124T120000Z.db.zst has 1 bytes there",
			metric: time.Date(2026, 11, 23, 2, 30, 0, 0, time.UTC)},
		"unreachable":  {change: func(cfg *s3.Place) { cfg.Endpoint = "http://127.0.0.1:1" }, says: "connection refused"},
		"wrong bucket": {change: func(cfg *s3.Place) { cfg.Name = "another" }, says: "there is no such bucket: what to do"},
		"wrong keys": {answer: func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 403, "SignatureDoesNotMatch") },
			says: "the store refuses the secret key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := newObjectStore(t)
			older := []string{"courant-20261122T023000Z.db.zst", "courant-20261123T023000Z.db.zst"}
			for _, key := range older {
				objects.put(key, nil)
			}
			cfg := objects.config("")
			if test.change != nil {
				test.change(&cfg)
			}
			objects.answer(test.answer)
			n := newNightly(t, backupNoon, config{S3: cfg, Keep: Keep{Days: 1}})
			n.Explain = func(err error) error {
				if errors.Is(err, s3.ErrNoBucket) {
					err = fmt.Errorf("%w: what to do", err)
				}
				return err
			}
			for range 2 {
				n.round(t)
				n.clock.Advance(retryInterval)
			}
			if keys := objects.keys(); len(keys) < 2 || !slices.Equal(keys[:2], older) {
				t.Errorf("the bucket holds %q", keys)
			}
			if got, want := n.newest("bucket"), test.metric; !got.Equal(want) {
				t.Errorf("the newest is told to be of %s, want %s", got, want)
			}
			if said := n.log.String(); strings.Count(said, "\n") != 2 || strings.Count(said, test.says) < 1 || strings.Contains(said, testSecretKey) {
				t.Errorf("the log says\n%s\nwant two lines with %s", said, test.says)
			}
			objects.answer(nil)
			if test.change != nil {
				return
			}
			n.round(t)
			if keys := objects.keys(); !slices.Equal(keys, []string{"courant-20261124T140000Z.db.zst"}) {
				t.Errorf("mended, the bucket holds %q", keys)
			}
		})
	}
}

func TestOneBackupGoesToTheFolderAndTheBucketAndEachGetsItWithoutTheOther(t *testing.T) {
	t.Parallel()
	folder, objects := storetest.Folder(t), newObjectStore(t)
	n := newNightly(t, backupNoon, config{To: folder, S3: objects.config(""), Keep: Keep{Days: 2}})
	check := func(inFolder, inBucket []string) {
		t.Helper()
		var withSums []string
		for _, name := range inFolder {
			withSums = append(withSums, name, name+store.ChecksumSuffix)
		}
		if names := fileNames(t, folder); !slices.Equal(names, withSums) {
			t.Errorf("the folder holds %q, want %q", names, inFolder)
		}
		if keys := objects.keys(); !slices.Equal(keys, inBucket) {
			t.Errorf("the bucket holds %q, want %q", keys, inBucket)
		}
	}
	const noon, one, tomorrow = "courant-20261124T120000Z.db.zst", "courant-20261124T130000Z.db.zst", "courant-20261125T023000Z.db.zst"
	objects.answer(full)
	n.round(t)
	check([]string{noon}, nil)
	objects.answer(nil)
	n.clock.Advance(retryInterval)
	n.round(t)
	check([]string{noon}, []string{one})
	n.clock.Advance(13*time.Hour + 30*time.Minute)
	n.round(t)
	check([]string{noon, tomorrow}, []string{one, tomorrow})
	if string(objects.content(tomorrow)) != string(must(os.ReadFile(filepath.Join(folder, tomorrow)))(t)) {
		t.Error("folder and bucket hold two different backups")
	}
}

// withBackups is a folder with a backup of each of some nights up to that one, each with its checksum.
func withBackups(t *testing.T, last time.Time, nights int) (folder string, files []string) {
	t.Helper()
	folder = storetest.Folder(t)
	for night := range nights {
		name := last.AddDate(0, 0, night+1-nights).Format(nameLayout)
		for _, name := range []string{name, name + store.ChecksumSuffix} {
			if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			files = append(files, name)
		}
	}
	return folder, files
}

func TestAClockThatIsFarAheadForAWhileDeletesNoBackup(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]func() bool{"nobody knows": nil, "it is known": func() bool { return true }} {
		t.Run(name, func(t *testing.T) {
			folder, before := withBackups(t, backupNoon.Add(-10*time.Hour), 9)
			n := newNightly(t, backupNoon.AddDate(0, 0, 100), config{To: folder, Keep: Keep{Days: 2}})
			n.ClockWrong = known
			check := func(when string) {
				t.Helper()
				for _, name := range before {
					if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
						t.Errorf("%s: %v", when, err)
					}
				}
			}
			n.round(t)
			check("ahead")
			n.clock = clockwork.NewFakeClockAt(backupNoon.Add(25 * time.Second))
			n.Clock, n.ClockWrong = n.clock, nil
			n.Destinations[0].notBefore = time.Time{}
			n.Destinations[0].due = time.Time{}
			n.backUpDue(t.Context())
			check("right again")
			if said := n.log.String(); !strings.Contains(said, "one is dated later than now") || !strings.Contains(said, "file=courant-20270304T120000Z.db.zst") {
				t.Errorf("the log says\n%s", said)
			}
			// Once it is removed, the others go as they should.
			if err := store.RemoveBackup(filepath.Join(folder, "courant-20270304T120000Z.db.zst")); err != nil {
				t.Fatal(err)
			}
			n.clock.Advance(24 * time.Hour)
			n.Destinations[0].due = time.Time{}
			n.backUpDue(t.Context())
			const today, tomorrow = "courant-20261124T120025Z.db.zst", "courant-20261125T120025Z.db.zst"
			if names, want := fileNames(t, folder), []string{today, today + ".sha256", tomorrow, tomorrow + ".sha256"}; !slices.Equal(names, want) {
				t.Errorf("the folder holds %q, want %q", names, want)
			}
		})
	}
}

func TestWhileTheClockIsKnownToBeWrongNoBackupGoes(t *testing.T) {
	t.Parallel()
	folder, before := withBackups(t, backupNoon.Add(-10*time.Hour), 9)
	n := newNightly(t, backupNoon, config{To: folder, Keep: Keep{Days: 2}})
	wrong := true
	n.ClockWrong = func() bool { return wrong }
	n.backUpDue(t.Context())
	if names := fileNames(t, folder); len(names) != len(before)+2 {
		t.Errorf("the folder holds %q", names)
	}
	wrong = false
	n.clock.Advance(24 * time.Hour)
	n.Destinations[0].due = time.Time{}
	n.backUpDue(t.Context())
	if names := fileNames(t, folder); len(names) != 4 {
		t.Errorf("after it the folder holds %q", names)
	}
}

func TestWhichBackupsAreKept(t *testing.T) {
	t.Parallel()
	var made []time.Time
	for date := market.NewDeliveryDate(2026, time.January, 1); !date.After(market.NewDeliveryDate(2026, time.November, 24)); date = date.Add(1) {
		made = append(made, date.At(3, 30))
	}
	stay := map[string]bool{}
	for _, instant := range toKeep(made, Keep{Days: 2, Weeks: 3, Months: 3}) {
		stay[market.DeliveryDateOf(instant).String()] = true
	}
	want := []string{"2026-11-24", "2026-11-23", "2026-11-22", "2026-11-15", "2026-10-31", "2026-09-30"}
	for _, date := range want {
		if !stay[date] {
			t.Errorf("%s is not kept", date)
		}
	}
	if len(stay) != len(want) {
		t.Errorf("kept: %v", stay)
	}
}
