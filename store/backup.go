package store

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/klauspost/compress/zstd"
	"modernc.org/sqlite"
)

const (
	// pagesPerStep is how many pages are copied between two looks at whether to stop.
	pagesPerStep = 2048
	// partPattern ends the name of a file that is being written; the star stands for digits.
	partPattern = ".*.part"
	// compressedSuffix ends the name of a backup that is compressed.
	compressedSuffix = ".zst"
	// mostWindow is the most memory that reading a compressed backup takes.
	mostWindow = 64 << 20
)

// Backup writes a copy of the database as it is at one moment into a new file, while others read and write on. The copy
// is checked before it gets its name, and compressed if that ends in .zst. ErrExists if there is a file already.
func (s *Store) Backup(ctx context.Context, to string) error {
	return writeNew(to, func(part string) error {
		if !strings.HasSuffix(to, compressedSuffix) {
			return s.copyTo(ctx, part)
		}
		plain, err := newPart(to)
		if err != nil {
			return err
		}
		defer os.Remove(plain)
		if err := s.copyTo(ctx, plain); err != nil {
			return err
		}
		return compress(ctx, part, plain)
	})
}

// writeNew has a file written under a name of its own beside to, and gives it its name once it is whole and on the disk.
func writeNew(to string, write func(part string) error) error {
	if err := refuseExisting(to); err != nil {
		return err
	}
	part, err := newPart(to)
	if err != nil {
		return err
	}
	defer os.Remove(part)
	if err := write(part); err != nil {
		return fmt.Errorf("backup to %s: %w", to, explainFile(err))
	}
	if err := refuseExisting(to); err != nil {
		return err
	}
	if err := errors.Join(syncFile(part), os.Rename(part, to), syncFolder(filepath.Dir(to))); err != nil {
		return fmt.Errorf("backup to %s: %w", to, explainFile(err))
	}
	return nil
}

func refuseExisting(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s %w: write the backup to a new file", path, ErrExists)
	}
	return nil
}

// newPart makes an empty file beside path, for its owner alone.
func newPart(path string) (string, error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+partPattern)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s: the folder %s does not exist: make it first", path, filepath.Dir(path))
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, explainFile(err))
	}
	return file.Name(), file.Close()
}

// copyTo copies page by page. SQLite's online backup is taken and not VACUUM INTO, because it costs no sorting and little
// memory, and can stop in between. The read transaction has all steps see one moment; without it a copy
// would begin again at each commit of another connection.
func (s *Store) copyTo(ctx context.Context, file string) error {
	conn, err := s.reader.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := beginRead(ctx, conn); err != nil {
		return s.explain(err)
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	err = conn.Raw(func(driver any) error {
		source := driver.(interface {
			NewBackup(string) (*sqlite.Backup, error)
		})
		backup, err := source.NewBackup(uri(file, "_pragma=journal_mode(off)", "_pragma=synchronous(off)"))
		if err != nil {
			return err
		}
		for more := true; more && err == nil; {
			if err = ctx.Err(); err == nil {
				more, err = backup.Step(pagesPerStep)
			}
		}
		return errors.Join(err, backup.Finish())
	})
	if err != nil {
		return (&Store{path: file}).explain(err)
	}
	_, err = Verify(ctx, file)
	return err
}

// beginRead begins a transaction that sees the moment at which it begins.
func beginRead(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	var pages int
	return conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&pages)
}

// Verify says whether a plain file that nobody has open is a whole database of Courant's that this program can read,
// and tells its schema. The error is ErrNotDatabase or ErrNewer; nothing is changed or made.
func Verify(ctx context.Context, file string) (schema int64, err error) {
	return verify(ctx, file, file)
}

// verify is Verify of a file that its errors call by another name.
func verify(ctx context.Context, file, name string) (schema int64, err error) {
	s := &Store{path: name}
	if err := checkHeader(file, name); err != nil {
		return 0, err
	}
	db, err := sql.Open("sqlite", uri(file, "mode=ro", "immutable=1"))
	if err != nil {
		return 0, s.explain(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return 0, s.explain(err)
	}
	if verdict != "ok" {
		return 0, fmt.Errorf("%w: %s is damaged: %s", ErrNotDatabase, name, verdict)
	}
	provider, err := migrator(db)
	if err != nil {
		return 0, err
	}
	sources := provider.ListSources()
	latest := sources[len(sources)-1].Version
	if err := db.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version").Scan(&schema); err != nil {
		return 0, fmt.Errorf("%w: %s has no schema: %w", ErrNotDatabase, name, err)
	}
	if schema > latest {
		return 0, newer(name, schema, latest)
	}
	return schema, nil
}

func checkHeader(path, name string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	header := make([]byte, 100)
	if _, err := io.ReadFull(file, header); err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	if !isSQLite(header) || !isOurs(header) {
		return fmt.Errorf("%w: %s", ErrNotDatabase, name)
	}
	return nil
}

// compress writes a compressed copy and reads it back.
func compress(ctx context.Context, to, from string) error {
	written := sha256.New()
	err := writeOver(to, func(target io.Writer) error {
		encoder, err := zstd.NewWriter(target, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return err
		}
		return errors.Join(copyFile(ctx, io.MultiWriter(encoder, written), from), encoder.Close())
	})
	if err != nil {
		return err
	}
	read := sha256.New()
	if err := decompress(ctx, read, to); err != nil {
		return err
	}
	if string(read.Sum(nil)) != string(written.Sum(nil)) {
		return fmt.Errorf("%w: %s does not read back as it was written", ErrNotDatabase, to)
	}
	return nil
}

// decompress writes what a compressed file holds.
func decompress(ctx context.Context, to io.Writer, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	decoder, err := zstd.NewReader(bufio.NewReader(contextReader{ctx, source}), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(mostWindow))
	if err != nil {
		return err
	}
	defer decoder.Close()
	_, err = io.Copy(to, decoder)
	return err
}

// contextReader ends with the error of its context.
type contextReader struct {
	ctx  context.Context
	from io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// syncFolder has names that were given or taken be on the disk.
func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil // a folder cannot be opened there
	}
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// explainFile says what to do about a disk that is full.
func explainFile(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: the disk is full: make room and try again", ErrUnusableFile)
	}
	return err
}
