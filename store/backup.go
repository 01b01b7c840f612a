package store

import (
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
	// pagesPerStep is how many pages are copied before ctx is checked again.
	pagesPerStep = 2048
	// compressedSuffix ends the name of a compressed backup.
	compressedSuffix = ".zst"
	// mostWindow limits the window of a compressed backup, and so the memory for reading it, in bytes.
	mostWindow = 64 << 20
)

// Backup writes a copy of the database at one moment to a new file, and its checksum to a file beside it, while other programs
// read and write the database. The copy is checked before it gets its name, and compressed if the name ends in .zst. The
// error is ErrExists if there is such a file already. Backup also removes the copies of upgrades that are no longer needed.
func (s *Store) Backup(ctx context.Context, to string) error {
	if err := refuseExisting(to); err != nil {
		return err
	}
	if _, err := readChecksum(to); err != nil { // a checksum whose backup was deleted may be replaced
		return fmt.Errorf("%s %w: write the backup to a new file", to+ChecksumSuffix, ErrExists)
	}
	if err := s.backup(ctx, to, refuseExisting); err != nil {
		return err
	}
	_ = s.removeSaved(ctx) // copies that remain only take disk space, until the next backup
	return nil
}

// backup is Backup to a file for which mayWrite returns no error.
func (s *Store) backup(ctx context.Context, to string, mayWrite func(string) error) error {
	var sum []byte
	err := writeNew(to, mayWrite, func(part string) (err error) {
		if strings.HasSuffix(to, compressedSuffix) {
			err = s.compressTo(ctx, part, to)
		} else {
			err = s.copyTo(ctx, part)
		}
		if err != nil {
			return err
		}
		if sum, err = sumOf(ctx, part); err != nil {
			return err
		}
		return ignoreMissing(os.Remove(to + ChecksumSuffix))
	})
	if err != nil {
		return err
	}
	return writeNew(to+ChecksumSuffix, replaceExisting, func(part string) error {
		return os.WriteFile(part, []byte(checksumText(sum, to)), fileMode)
	})
}

// compressTo writes a compressed copy to part. It writes a plain copy beside to first.
func (s *Store) compressTo(ctx context.Context, part, to string) error {
	plain, err := NewUnfinishedFile(to)
	if err != nil {
		return err
	}
	defer plain.Remove()
	if err := s.copyTo(ctx, plain.name); err != nil {
		return err
	}
	return compress(ctx, part, plain.name)
}

// writeNew writes a file under a temporary name beside to, and renames it when it is complete and flushed to disk.
func writeNew(to string, mayWrite func(string) error, write func(part string) error) error {
	if err := mayWrite(to); err != nil {
		return err
	}
	_ = RemoveUnfinishedFiles(filepath.Dir(to)) // those that remain only take disk space
	part, err := NewUnfinishedFile(to)
	if err != nil {
		return err
	}
	defer part.Remove()
	if err := write(part.name); err != nil {
		return fmt.Errorf("backup to %s: %w", to, explainFile(err))
	}
	if err := mayWrite(to); err != nil {
		return err
	}
	if err := part.MoveTo(to); err != nil {
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

func replaceExisting(string) error { return nil }

// copyTo copies the database page by page and checks the copy. It uses SQLite's online backup instead of VACUUM INTO, which
// sorts, takes more memory and cannot be interrupted. In the read transaction all steps see the database at one moment;
// without it, the copy would start again at each commit of another connection.
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
		// nolock: on a network disk, SQLite's own locks would wait for our lock of the unfinished file.
		backup, err := source.NewBackup(uri(file, "nolock=1", "_pragma=journal_mode(off)", "_pragma=synchronous(off)"))
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
	_, err = verify(ctx, file, s.path, false)
	return err
}

// beginRead begins a transaction that sees the database at the moment of the call.
func beginRead(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	var pages int
	return conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&pages)
}

// Verify checks that an uncompressed file, which no program has open, is an undamaged and complete database of Courant that
// this program can read, and returns its schema. The error is ErrNotDatabase or ErrNewer. Verify changes and creates nothing.
func Verify(ctx context.Context, file string) (schema int64, err error) {
	return verify(ctx, file, file, false)
}

// verify is Verify with the name of the file in errors. If onlyOurs is set, it also refuses a table, view or trigger that is
// not Courant's, before any of it is run.
func verify(ctx context.Context, file, name string, onlyOurs bool) (schema int64, err error) {
	s := &Store{path: name}
	if err := checkHeader(file, name); err != nil {
		return 0, err
	}
	db, err := sql.Open("sqlite", uri(file, "mode=ro", "immutable=1", "_pragma=trusted_schema(0)"))
	if err != nil {
		return 0, s.explain(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return 0, s.explain(err)
	}
	defer tx.Rollback()
	if onlyOurs {
		if schema, err = s.schemaOf(ctx, tx); err != nil {
			return 0, err
		}
		added, err := s.additions(ctx, tx, schema)
		if err != nil {
			return 0, err
		}
		if len(added) > 0 {
			return 0, fmt.Errorf("%w: %s holds what is not Courant's: %s: drop it in a copy of the file, and restore that",
				ErrNotDatabase, name, strings.Join(added, ", "))
		}
	}
	return s.checkIntegrity(ctx, tx)
}

func checkHeader(path, name string) error {
	file, _, err := openRegular(path)
	if err != nil {
		return err
	}
	defer file.Close()
	header := make([]byte, headerBytes)
	if _, err := io.ReadFull(file, header); err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	if !isSQLite(header) || !isOurs(header) {
		return fmt.Errorf("%w: %s", ErrNotDatabase, name)
	}
	return nil
}

// compress writes a compressed copy with the size of its content in its header, and reads it back to compare.
func compress(ctx context.Context, to, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	written := sha256.New()
	err = writeOver(to, func(target io.Writer) error {
		encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return err
		}
		encoder.ResetContentSize(target, info.Size())
		return errors.Join(copyFile(ctx, io.MultiWriter(encoder, written), from), encoder.Close())
	})
	if err != nil {
		return err
	}
	read := sha256.New()
	source, err := os.Open(to)
	if err != nil {
		return err
	}
	defer source.Close()
	if err := decompress(read, contextReader{ctx, source}); err != nil {
		return err
	}
	if string(read.Sum(nil)) != string(written.Sum(nil)) {
		return fmt.Errorf("%w: %s does not read back as it was written", ErrNotDatabase, to)
	}
	return nil
}

// decompress writes the content of a compressed file.
func decompress(to io.Writer, from io.Reader) error {
	decoder, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(mostWindow))
	if err != nil {
		return err
	}
	defer decoder.Close()
	_, err = io.Copy(to, decoder)
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return finding(fmt.Sprintf("it asks for more than %d MiB of memory to be read, which no backup does", mostWindow>>20))
	}
	return err
}

// contextReader is a reader that returns the error of its context once that has ended.
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

// syncFolder flushes renames in a directory to disk.
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

// openRegular opens a regular file for reading. It refuses anything else, such as a pipe or a device, without blocking on it.
func openRegular(path string) (*os.File, fs.FileInfo, error) {
	refused := fmt.Errorf("%s is no regular file: name one", path)
	// Opening a device can already have an effect.
	if info, err := os.Stat(path); err != nil {
		return nil, nil, err
	} else if !info.Mode().IsRegular() {
		return nil, nil, refused
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = refused
	}
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return file, info, nil
}

// explainFile adds to the error of a full disk what to do about it.
func explainFile(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: the disk is full: free some space and try again", ErrUnusableFile)
	}
	return err
}
