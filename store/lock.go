package store

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Programs lock two files beside the database, whatever path they opened it by. SQLite's own locks stay with the opened
// file even after another file has taken its name, so they cannot keep a program from opening the old file just when it is
// replaced.
const (
	servesSuffix = ".lock"  // locked by the one service
	usesSuffix   = ".inuse" // shared lock of each program with the database open, exclusive lock of one that replaces it
)

var errReplaced = errors.New("courant restore or an upgrade is at work on it: try again when it is done")

// lockOut locks the database against other services, if the store is alone, and against being replaced. It is called before
// anything in the file is changed.
func (s *Store) lockOut() error {
	file, err := filepath.EvalSymlinks(s.file)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUnusableFile, s.path, err)
	}
	s.serves, s.uses = lockBeside(file, servesSuffix), lockBeside(file, usesSuffix)
	if s.alone {
		if err := s.take(file, s.serves.TryLock, ErrInUse); err != nil {
			return err
		}
	}
	if err := s.take(file, s.uses.TryRLock, errReplaced); err != nil {
		return errors.Join(err, s.serves.Unlock())
	}
	return nil
}

func (s *Store) unlock() error { return errors.Join(s.uses.Unlock(), s.serves.Unlock()) }

// take acquires a lock with try; the error is held if another program has it.
func (s *Store) take(file string, try func() (bool, error), held error) error {
	locked, err := try()
	if err != nil {
		return fmt.Errorf("%w: %s or its folder cannot be written: %w", ErrUnusableFile, s.path, err)
	}
	if !locked {
		return fmt.Errorf("%s: %w", s.path, held)
	}
	giveToOwner(file, file+servesSuffix, file+usesSuffix)
	return nil
}

func lockBeside(file, suffix string) *flock.Flock {
	return flock.New(file+suffix, flock.SetPermissions(fileMode))
}
