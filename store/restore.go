package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// keptInfix and the instant come behind the name of a database that a restore has replaced.
const keptInfix = ".before-restore-"

// Restore puts a backup in the place of the database at path, or where there is none. The backup is read and checked
// whole first, and the database that was there is kept under the name that is returned; empty if there was none. At
// every moment the one or the other has the database's name. The error is ErrInUse while any program has the database open, and
// as that of Verify where the backup is not one; then all is as it was.
func Restore(ctx context.Context, backup, path string, now time.Time) (kept string, err error) {
	file, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrUnusableFile, path, err)
	}
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target
	}
	if err := refuseLive(backup, file); err != nil {
		return "", err
	}
	uses := lockBeside(file, usesSuffix)
	if err := (&Store{path: path}).take(file, uses.TryLock, errOpen); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, uses.Unlock()) }()
	if err := sweep(file); err != nil {
		return "", err
	}
	if kept, err = keptName(file, now); err != nil {
		return "", err
	}
	if err := put(ctx, backup, file, kept); err != nil {
		return "", err
	}
	return kept, nil
}

// errOpen is ErrInUse of whatever program.
var errOpen = fmt.Errorf("%w, or another program has it open: stop courant serve, and wait for other commands to end", ErrInUse)

// stampLayout is an instant in the name of a file, in UTC.
const stampLayout = "20060102T150405Z"

// keptName is the name under which the database that is there will be kept; empty if there is none.
func keptName(file string, now time.Time) (string, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if err := checkHeader(file, file); err != nil && info.Size() > 0 {
		return "", fmt.Errorf("%w: move it away, or set database.path to another file", err)
	}
	kept := file + keptInfix + now.UTC().Format(stampLayout)
	return kept, refuseExisting(kept)
}

// sweep removes what a restore that was killed has left: files that were being written, and the second name of a database
// that was not replaced after all.
func sweep(file string) error {
	folder := filepath.Dir(file)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	database, _ := os.Stat(file) // none is no file's twin
	for _, entry := range entries {
		rest, ours := strings.CutPrefix(entry.Name(), filepath.Base(file))
		info, err := entry.Info()
		if !ours || err != nil {
			continue
		}
		part, _ := filepath.Match(partPattern, rest)
		if part || strings.HasPrefix(rest, keptInfix) && os.SameFile(info, database) {
			if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// refuseLive refuses a file that is open in a program, or was when it was copied: a part of it is elsewhere.
func refuseLive(backup, file string) error {
	info, err := os.Stat(backup)
	if err != nil {
		return err
	}
	if database, err := os.Stat(file); err == nil && os.SameFile(info, database) {
		return fmt.Errorf("%s is the database itself: name a backup of it", backup)
	}
	if wal, err := os.Stat(backup + "-wal"); err == nil && wal.Size() > 0 {
		return fmt.Errorf("%s is no backup: a part of it is in %[1]s-wal; courant backup makes one", backup)
	}
	return nil
}

// put replaces the file, which nobody else may open meanwhile, by what the backup holds, and keeps it as kept unless that
// is empty.
func put(ctx context.Context, backup, file, kept string) error {
	part, err := newPart(file)
	if err != nil {
		return err
	}
	defer os.Remove(part)
	if err := unpack(ctx, part, backup); err != nil {
		return fmt.Errorf("%s: %w", backup, explainFile(err))
	}
	if _, err := verify(ctx, part, backup); err != nil {
		return err
	}
	giveToOwner(file, part)
	if err := syncFile(part); err != nil {
		return err
	}
	if kept != "" {
		if err := setAside(ctx, file, kept); err != nil {
			return fmt.Errorf("%s: %w", file, explainFile(err))
		}
	}
	if err := errors.Join(os.Rename(part, file), syncFolder(filepath.Dir(file))); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// unpack copies what a backup holds.
func unpack(ctx context.Context, to, backup string) error {
	return writeOver(to, func(target io.Writer) error {
		if strings.HasSuffix(backup, compressedSuffix) {
			return decompress(ctx, target, backup)
		}
		return copyFile(ctx, target, backup)
	})
}

func writeOver(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

func copyFile(ctx context.Context, to io.Writer, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	_, err = io.Copy(to, contextReader{ctx, source})
	return err
}

// setAside gives the database a second name, under which it stays when its first one is taken from it.
func setAside(ctx context.Context, file, kept string) error {
	damaged := false
	if err := foldLog(ctx, file); errors.Is(err, ErrNotDatabase) {
		damaged = true // which is a reason to restore
	} else if err != nil {
		return err
	}
	// What is beside a database that was not folded belongs to it, and would spoil the new one.
	for _, suffix := range []string{"-wal", "-journal", "-shm"} {
		if _, err := os.Stat(file + suffix); damaged && err == nil {
			if err := os.Rename(file+suffix, kept+suffix); err != nil {
				return err
			}
		}
	}
	if err := os.Link(file, kept); err == nil {
		return syncFolder(filepath.Dir(file))
	}
	// Not every file system gives a file two names.
	return writeNew(kept, func(part string) error {
		return writeOver(part, func(target io.Writer) error { return copyFile(ctx, target, file) })
	})
}

// foldLog takes the write-ahead log into the file, which no other program may have open, and leaves nothing beside it.
func foldLog(ctx context.Context, file string) error {
	s := &Store{path: file}
	db, err := sql.Open("sqlite", uri(file))
	if err != nil {
		return s.explain(err)
	}
	defer db.Close()
	var mode string
	err = s.explain(db.QueryRowContext(ctx, "PRAGMA journal_mode = delete").Scan(&mode))
	if errors.Is(err, errLocked) || err == nil && mode != "delete" {
		return errOpen
	}
	return err
}
