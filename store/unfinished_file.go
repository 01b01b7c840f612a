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

// partPattern ends the name of a file that is being written; the star stands for digits.
const partPattern = ".courant-*.part"

var partName = regexp.MustCompile(`\.courant-[0-9]+\.part$`)

// partAge is how old an unfinished file has to be before it counts as left by a program that was killed, where locks do not tell.
const partAge = 24 * time.Hour

// part is a file that is being written beside the one that it will become. Its lock tells others that it is in use.
type part struct {
	name string
	lock *flock.Flock // nil where a lock would keep its own writers out, or is not to be had
}

// newPart makes an empty file beside path, for its owner alone.
func newPart(path string) (*part, error) {
	for {
		file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+partPattern)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: the folder %s does not exist: make it first", path, filepath.Dir(path))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, explainFile(err))
		}
		p := &part{name: file.Name()}
		if err := file.Close(); err != nil {
			return nil, err
		}
		if runtime.GOOS == "windows" { // where nothing else in this program could write to a locked file
			return p, nil
		}
		p.lock = flock.New(p.name, flock.SetFlag(os.O_RDWR))
		locked, err := p.lock.TryLock()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !locked {
			continue // another program has swept it away before it was locked
		}
		if err != nil {
			p.lock = nil // not every file system has locks
			return p, nil
		}
		if _, err := os.Lstat(p.name); err == nil {
			return p, nil
		}
		_ = p.lock.Unlock()
	}
}

// remove removes what was not given another name.
func (p *part) remove() {
	_ = os.Remove(p.name)
	if p.lock != nil {
		_ = p.lock.Unlock()
	}
}

// RemoveUnfinishedFiles removes the unfinished files in a folder that a backup, a restore or an upgrade of Courant's has left when it was killed:
// those that nothing has locked, or, where locks are not to be had, that are older than a day.
func RemoveUnfinishedFiles(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var failed error
	for _, entry := range entries {
		if entry.Type().IsRegular() && partName.MatchString(entry.Name()) {
			failed = errors.Join(failed, sweepPart(filepath.Join(folder, entry.Name())))
		}
	}
	return failed
}

func sweepPart(path string) error {
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
