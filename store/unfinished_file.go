package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"time"

	"github.com/gofrs/flock"
)

// partPattern ends the name of an unfinished file; the star stands for digits.
const partPattern = ".courant-*.part"

var partName = regexp.MustCompile(`\.courant-[0-9]+\.part$`)

// partAge is the age from which an unfinished file counts as left by a killed program, where locks do not show whether it is
// in use.
const partAge = 24 * time.Hour

// UnfinishedFile is a file under a temporary name, which becomes another file when it is whole. Its lock shows other programs that
// it is in use.
type UnfinishedFile struct {
	name string
	lock *flock.Flock // nil where a lock would block the program itself, or the file system has no locks
}

// NewUnfinishedFile creates an empty file beside path that only its owner can read.
func NewUnfinishedFile(path string) (*UnfinishedFile, error) {
	for {
		file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+partPattern)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: the folder %s does not exist: make it first", path, filepath.Dir(path))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, explainFile(err))
		}
		p := &UnfinishedFile{name: file.Name()}
		if err := file.Close(); err != nil {
			return nil, err
		}
		if runtime.GOOS == "windows" { // there the rest of this program could not write to a locked file
			return p, nil
		}
		p.lock = flock.New(p.name, flock.SetFlag(os.O_RDWR))
		locked, err := p.lock.TryLock()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !locked {
			continue // another program removed it before it was locked
		}
		if err != nil {
			p.lock = nil // the file system has no locks
			return p, nil
		}
		if _, err := os.Lstat(p.name); err == nil {
			return p, nil
		}
		_ = p.lock.Unlock()
	}
}

// Name returns the path of the file.
func (p *UnfinishedFile) Name() string { return p.name }

// MoveTo flushes the file to the disk and gives it its name, in the same file system; a file of that name is replaced.
func (p *UnfinishedFile) MoveTo(path string) error {
	return firstError(
		func() error { return syncFile(p.name) },
		func() error { return os.Rename(p.name, path) },
		func() error { return syncFolder(filepath.Dir(path)) },
	)
}

// Remove deletes the file, unless it was moved, and unlocks it.
func (p *UnfinishedFile) Remove() {
	_ = os.Remove(p.name)
	if p.lock != nil {
		_ = p.lock.Unlock()
	}
}

// RemoveUnfinishedFiles removes the unfinished files in a folder that a killed program has left: those that
// no program has locked or, where the file system has no locks, that are older than a day.
func RemoveUnfinishedFiles(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var failed error
	for _, entry := range entries {
		if entry.Type().IsRegular() && partName.MatchString(entry.Name()) {
			failed = errors.Join(failed, removeAbandoned(filepath.Join(folder, entry.Name())))
		}
	}
	return failed
}

func removeAbandoned(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return ignoreMissing(err)
	}
	isOld := time.Since(info.ModTime()) > partAge
	if runtime.GOOS == "windows" {
		if !isOld {
			return nil
		}
		return ignoreMissing(os.Remove(path))
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDWR))
	locked, err := lock.TryLock()
	if err != nil && !isOld || err == nil && !locked {
		return nil
	}
	return errors.Join(ignoreMissing(os.Remove(path)), lock.Unlock())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
