package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
)

func TestANewFileIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	s := open(t, path)
	if runtime.GOOS != "windows" {
		for _, name := range []string{path, path + "-wal", path + "-shm"} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != 0o600 {
				t.Errorf("%s has mode %o, want 600", filepath.Base(name), got)
			}
		}
	}
	if s.Path() != path {
		t.Errorf("Path = %q, want %q", s.Path(), path)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := slices.Collect(maps.Keys(contents(t, filepath.Dir(path)))); !slices.Equal(got, []string{"courant.db"}) {
		t.Errorf("a store that is closed leaves %v", got)
	}
}

func TestTheSettingsOfBothPools(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for _, c := range []struct{ pragma, writer, reader string }{
		{"journal_mode", "wal", "wal"},
		{"synchronous", "2", "2"},
		{"foreign_keys", "1", "1"},
		{"auto_vacuum", "2", "2"},
		{"busy_timeout", "10000", "10000"},
		{"query_only", "0", "1"},
		{"application_id", "1668443764", "1668443764"}, // "crnt"
		{"encoding", "UTF-8", "UTF-8"},
	} {
		if got := ask(t, s.WriterPool(), "PRAGMA "+c.pragma); got != c.writer {
			t.Errorf("the writer has %s %s, want %s", c.pragma, got, c.writer)
		}
		// Each connection has its own settings.
		var conns []*sql.Conn
		for range s.ReaderPool().Stats().MaxOpenConnections {
			conn, err := s.ReaderPool().Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, conn)
			var got string
			if err := conn.QueryRowContext(t.Context(), "PRAGMA "+c.pragma).Scan(&got); err != nil || got != c.reader {
				t.Errorf("reader %d has %s %s, %v; want %s", len(conns), c.pragma, got, err, c.reader)
			}
		}
		for _, conn := range conns {
			conn.Close()
		}
		if len(conns) != 4 {
			t.Errorf("%d readers, want 4", len(conns))
		}
	}
	if got := s.WriterPool().Stats().MaxOpenConnections; got != 1 {
		t.Errorf("%d writers, want 1", got)
	}
}

func TestEveryTableIsStrict(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	loose := ask(t, s.ReaderPool(), "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'")
	if loose != "" {
		t.Errorf("not strict: %s", loose)
	}
}

func TestWhatWasCommittedIsThereWhenTheFileIsOpenedAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	s := openEmpty(t, path)
	commit(t, s, runAt(0, market.MFRREnergy), one(market.Num(12.5), market.Number{}))
	before := kept(t, s)
	for range 3 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, path)
		if diff := cmp.Diff(before, kept(t, s)); diff != "" {
			t.Fatalf("(-before +after):\n%s", diff)
		}
	}
	if err := s.IntegrityCheck(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAnyNameIsTheNameOfTheFile(t *testing.T) {
	for _, name := range []string{"courant.db", "with space.db", "what?.db", "a#b.db", "100%.db", "%41.db", "a+b&c=d;e.db", "électricité ⚡.db", "data?mode=memory",
		"x?_pragma=query_only(1)", ":memory:", "file:x.db", "~", "-", "no extension", "a\nb", "quo'te\".db", `back\slash`} {
		if runtime.GOOS == "windows" && strings.ContainsAny(name, "?:\n\"\\<>|*") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Chdir(storetest.Folder(t))
			storetest.Write(t, name)
			for _, path := range []string{name, filepath.Join(".", name), "." + string(filepath.Separator) + name} {
				s, err := store.Open(t.Context(), path)
				if err != nil {
					t.Fatal(err)
				}
				commit(t, s, runAt(0, market.MFRREnergy), one(market.Num(1), market.Number{}))
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if got := slices.Collect(maps.Keys(contents(t, "."))); !slices.Equal(got, []string{name}) {
				t.Errorf("the folder holds %q, want %q alone", got, name)
			}
			if info, err := os.Stat(name); err != nil || info.Size() == 0 {
				t.Errorf("%q is empty: %v", name, err)
			}
		})
	}
}

func TestAPathIsReadAsTheSystemReadsIt(t *testing.T) {
	t.Parallel()
	folder := storetest.Folder(t)
	if err := os.Mkdir(filepath.Join(folder, "a ? b"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/" + folder + "/1.db", folder + "/a ? b/../2.db", folder + "//a ? b///3.db"} {
		if runtime.GOOS == "windows" {
			t.Skip("paths of Unix")
		}
		s, err := store.Open(t.Context(), path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		s.Close()
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s is not the database: %v", path, err)
		}
	}
}

func TestAFileThatChangesFolderStaysOpen(t *testing.T) {
	t.Chdir(storetest.Folder(t))
	s := open(t, "courant.db")
	t.Chdir(storetest.Folder(t))
	// The pool of readers opens its connections as they are needed.
	var conns []*sql.Conn
	for range s.ReaderPool().Stats().MaxOpenConnections {
		conn, err := s.ReaderPool().Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		var rows int
		if err := conn.QueryRowContext(t.Context(), "SELECT count(*) FROM feed_run").Scan(&rows); err != nil {
			t.Error(err)
		}
	}
	for _, conn := range conns {
		conn.Close()
	}
	if left := contents(t, "."); len(left) != 0 {
		t.Errorf("the new folder holds %v", slices.Collect(maps.Keys(left)))
	}
}

// contents returns every file below the folder, by name, except the locks, which are empty and remain.
func contents(t testing.TB, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == folder || strings.HasSuffix(path, ".inuse") {
			return err
		}
		name, _ := filepath.Rel(folder, path)
		info, err := entry.Info()
		if err != nil {
			return err
		}
		files[name] = info.Mode().String()
		if entry.Type().IsRegular() {
			content, err := os.ReadFile(path)
			files[name] += " " + string(content)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// aDatabase returns the content of an undamaged database with rows.
func aDatabase(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	s := openEmpty(t, path)
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-07-14"), 1)[:5000]))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// alter runs SQL on a file as another program would.
func alter(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func TestAFileThatCannotBeOursIsRefusedAndLeftAsItIs(t *testing.T) {
	t.Parallel()
	sound := aDatabase(t)
	write := func(content []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	changed := func(change func([]byte) []byte) func(*testing.T, string) { return write(change(slices.Clone(sound))) }
	garbage := func(content []byte) []byte {
		for i := range content {
			content[i] = byte(i*7 + i>>8)
		}
		return content
	}
	for _, c := range []struct {
		name string
		make func(*testing.T, string) // makes the file, or not
		path string                   // below the folder; courant.db unless told
		is   error
		says string
	}{
		{
			name: "a folder that does not exist", path: "there/is/none/courant.db", make: func(*testing.T, string) {},
			is: store.ErrUnusableFile, says: "does not exist",
		},
		{
			name: "no name", path: "/", make: func(*testing.T, string) {},
			is: store.ErrUnusableFile, says: "directory",
		},
		{
			name: "a folder", is: store.ErrUnusableFile, says: "directory",
			make: func(t *testing.T, path string) {
				if err := os.Mkdir(path, 0o700); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "below a file", path: "courant.db/courant.db", is: store.ErrUnusableFile, says: "not a directory",
			make: func(t *testing.T, path string) { write([]byte("text"))(t, filepath.Dir(path)) },
		},
		{name: "one letter", make: write([]byte("S")), is: store.ErrNotDatabase, says: "not a SQLite file"},
		{name: "a text", make: write([]byte(strings.Repeat("rte: {client_id: x}\n", 1000))), is: store.ErrNotDatabase, says: "not a SQLite file"},
		{name: "99 bytes of ours", make: write(sound[:99]), is: store.ErrNotDatabase, says: "not a SQLite file"},
		{name: "zeros", make: write(make([]byte, 8192)), is: store.ErrNotDatabase, says: "not a SQLite file"},
		{
			name: "another program's database", is: store.ErrNotDatabase, says: "another program",
			make: func(t *testing.T, path string) {
				alter(t, path, "CREATE TABLE note (text)", "INSERT INTO note VALUES ('mine')")
			},
		},
		{
			name: "another program's database in WAL mode", is: store.ErrNotDatabase, says: "another program",
			make: func(t *testing.T, path string) {
				alter(t, path, "PRAGMA application_id = 7", "PRAGMA journal_mode = wal", "CREATE TABLE note (text)")
			},
		},
		{name: "our first 100 bytes alone", make: write(sound[:100]), is: store.ErrNotDatabase, says: "damaged"},
		{name: "our first page alone", make: write(sound[:4096]), is: store.ErrNotDatabase, says: "damaged"},
		{name: "cut in the middle", make: write(sound[:len(sound)/8192*4096]), is: store.ErrNotDatabase, says: "damaged"},
		{name: "cut within a page", make: write(sound[:len(sound)/2+123]), is: store.ErrNotDatabase, says: "damaged"},
		{
			name: "our header before garbage", is: store.ErrNotDatabase, says: "damaged",
			make: changed(func(b []byte) []byte { garbage(b[100:]); return b }),
		},
		{
			name: "our header before garbage, not in WAL mode", is: store.ErrNotDatabase, says: "damaged",
			make: changed(func(b []byte) []byte { garbage(b[100:]); b[18], b[19] = 1, 1; return b }),
		},
		{
			name: "our name in a header of garbage", is: store.ErrNotDatabase, says: "damaged",
			make: changed(func(b []byte) []byte {
				garbage(b[16:])
				binary.BigEndian.PutUint32(b[68:], 0x63726e74)
				return b
			}),
		},
		{
			name: "of a later courant", is: store.ErrNewer, says: "has schema 9001 and this courant knows up to",
			make: func(t *testing.T, path string) {
				write(sound)(t, path)
				alter(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9001, 1)")
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := storetest.Folder(t)
			path := filepath.Join(folder, "courant.db")
			if c.path != "" {
				path = folder + string(filepath.Separator) + filepath.FromSlash(c.path)
			}
			c.make(t, path)
			before := contents(t, folder)
			for range 2 {
				s, err := store.Open(t.Context(), path)
				if err == nil {
					s.Close()
					t.Fatal("opened")
				}
				if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
					t.Errorf("Open = %v; want %q, the path and %q", err, c.is, c.says)
				}
				if strings.ContainsAny(err.Error(), "\n") {
					t.Errorf("the error is more than a line: %q", err)
				}
			}
			if after := contents(t, folder); !maps.Equal(before, after) {
				t.Errorf("the folder held %q, now %q; or one of them has changed", slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after)))
			}
		})
	}
}

// A program that is killed while it creates the file leaves the first page and the journal that rolls it back.
func TestAFileWhoseMakingWasCutShortIsMadeAnew(t *testing.T) {
	t.Parallel()
	made := aDatabase(t)[:4096]
	for _, at := range []int{18, 19} {
		made[at] = 1 // not in WAL mode yet
	}
	binary.BigEndian.PutUint32(made[28:], 1) // one page
	journal := make([]byte, 512)
	copy(journal, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")
	binary.BigEndian.PutUint32(journal[20:], 512)  // bytes a sector
	binary.BigEndian.PutUint32(journal[24:], 4096) // bytes a page; of no pages before
	for _, c := range []struct {
		name          string
		file, journal []byte
	}{
		{"nothing written", nil, nil},
		{"the journal written", nil, journal},
		{"the page written", made, journal},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(storetest.Folder(t), "courant.db")
			for name, content := range map[string][]byte{path: c.file, path + "-journal": c.journal} {
				if err := os.WriteFile(name, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := open(t, path)
			commit(t, s, runAt(0, market.MFRREnergy), one(market.Num(1), market.Number{}))
			if err := s.IntegrityCheck(t.Context()); err != nil {
				t.Error(err)
			}
			if got := ask(t, s.ReaderPool(), "PRAGMA application_id"); got != "1668443764" {
				t.Errorf("application_id %s", got)
			}
		})
	}
}

// aDamagedDatabase returns a file with a page of garbage.
func aDamagedDatabase(t *testing.T) string {
	t.Helper()
	content := aDatabase(t)
	for i := len(content) - 3*4096; i < len(content)-2*4096; i++ {
		content[i] = 0xa5
	}
	path := filepath.Join(storetest.Folder(t), "courant.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestADamagedPageIsFoundByTheIntegrityCheck(t *testing.T) {
	t.Parallel()
	path := aDamagedDatabase(t)
	if err := open(t, path).IntegrityCheck(t.Context()); err == nil {
		t.Error("a page of garbage is in order")
	}
}

func TestAFileThatMayNotBeWritten(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write anything")
	}
	sound := aDatabase(t)
	for _, c := range []struct {
		name           string
		folder, file   fs.FileMode
		sayOneOfThese  []string
		withoutTheFile bool
	}{
		{name: "a file that can only be read", folder: 0o700, file: 0o400, sayOneOfThese: []string{"permission denied"}},
		{name: "a file in a folder that can only be read", folder: 0o500, file: 0o600, sayOneOfThese: []string{"cannot be written"}},
		{name: "no file in a folder that can only be read", folder: 0o500, withoutTheFile: true, sayOneOfThese: []string{"permission denied"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := storetest.Folder(t)
			path := filepath.Join(folder, "courant.db")
			if !c.withoutTheFile {
				if err := os.WriteFile(path, sound, c.file); err != nil {
					t.Fatal(err)
				}
			}
			before := contents(t, folder)
			if err := os.Chmod(folder, c.folder); err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(folder, 0o700)
			s, err := store.Open(t.Context(), path)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			if !errors.Is(err, store.ErrUnusableFile) || !strings.Contains(err.Error(), path) ||
				!slices.ContainsFunc(c.sayOneOfThese, func(says string) bool { return strings.Contains(err.Error(), says) }) {
				t.Errorf("Open = %v", err)
			}
			if after := contents(t, folder); !maps.Equal(before, after) {
				t.Errorf("the folder held %q, now %q; or one of them has changed", slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after)))
			}
		})
	}
}

func TestManyGoroutinesOpenANewFileAtOnce(t *testing.T) {
	storetest.Long(t)
	t.Parallel()
	for round := range 3 {
		path := filepath.Join(storetest.Folder(t), "courant.db")
		start := make(chan struct{})
		var opening sync.WaitGroup
		for range 6 {
			opening.Go(func() {
				<-start
				s, err := store.Open(t.Context(), path, store.BusyTimeout(time.Minute))
				if err != nil {
					t.Errorf("round %d: %v", round, err)
					return
				}
				if _, err := s.Versions(t.Context()); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
				s.Close()
			})
		}
		close(start)
		opening.Wait()
		if t.Failed() {
			return
		}
		if err := open(t, path).IntegrityCheck(t.Context()); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
	}
}

// child starts a copy of this test program that does a job.
func child(t *testing.T, job string) (*exec.Cmd, io.WriteCloser, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childVariable+"="+job)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	limit := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() }) // it is killed or ends long before
	t.Cleanup(func() { limit.Stop() })
	return cmd, in, bufio.NewScanner(out)
}

// openWhenTold opens the file when stdin ends.
func openWhenTold(path string) error {
	fmt.Println("ready")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	s, err := store.Open(context.Background(), path, store.BusyTimeout(time.Minute))
	if err != nil {
		return err
	}
	return s.Close()
}

func TestManyProcessesOpenANewFileAtOnce(t *testing.T) {
	storetest.Long(t)
	for round := range 5 {
		path := filepath.Join(storetest.Folder(t), "courant.db")
		var processes []*exec.Cmd
		var starts []io.Closer
		for range 4 {
			cmd, in, out := child(t, "open "+path)
			out.Scan()
			processes, starts = append(processes, cmd), append(starts, in)
		}
		for _, start := range starts {
			start.Close()
		}
		for _, cmd := range processes {
			if err := cmd.Wait(); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if t.Failed() {
			return
		}
		if err := open(t, path).IntegrityCheck(t.Context()); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
	}
}

func TestAFullDiskIsReportedAndLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	s := openEmpty(t, path)
	commit(t, s, runAt(0, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-07-14"), 1)[:1000]))
	before := kept(t, s)
	// SQLite answers as on a full disk when the file may have no more pages.
	ask(t, s.WriterPool(), "PRAGMA max_page_count = 1")
	run := runAt(1, market.AFRREnergy)
	err := s.Commit(t.Context(), run, market.AFRR.Batch(afrrDay(date("2026-07-15"), 1)))
	if !errors.Is(err, store.ErrUnusableFile) || !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), path) {
		t.Errorf("Commit = %v", err)
	}
	if run.Tallies != nil {
		t.Errorf("tallies %v of what was not stored", run.Tallies)
	}
	if diff := cmp.Diff(before, kept(t, s)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	ask(t, s.WriterPool(), "PRAGMA max_page_count = 1000000")
	commit(t, s, runAt(2, market.AFRREnergy), market.AFRR.Batch(afrrDay(date("2026-07-15"), 1)))
	if err := s.IntegrityCheck(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAWriteBehindALockFailsWithAnExplanation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(storetest.Folder(t), "courant.db")
	s := openEmpty(t, path, store.BusyTimeout(10*time.Millisecond))
	write := func() error { return s.Commit(t.Context(), runAt(0, market.AFRREnergy), market.Batch{}) }
	check := func(says string) {
		t.Helper()
		if err := write(); !errors.Is(err, store.ErrBusy) || !strings.Contains(err.Error(), path+": the database is locked: "+says) {
			t.Errorf("Commit = %v, want %q", err, says)
		}
	}
	other, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lock, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	check("another program has held its write lock for 10ms")
	if _, err := s.Versions(t.Context()); err != nil {
		t.Errorf("a read: %v", err)
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	conn, err := s.WriterPool().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	check("other writes of this program have taken 10ms")
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := write(); err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestAWriteThatWaitedBehindOthersWaitsForTheLockOnlyForTheRest(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, store.BusyTimeout(time.Hour))
	first, err := s.WriteConn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var waiting sync.WaitGroup
	waiting.Go(func() {
		second, err := s.WriteConn(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		defer second.Close()
		var left int64
		if err := second.QueryRowContext(t.Context(), "PRAGMA busy_timeout").Scan(&left); err != nil || left >= time.Hour.Milliseconds() {
			t.Errorf("it may wait for the lock for another %d ms of an hour, %v", left, err)
		}
	})
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	waiting.Wait()
}
