package store

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Two files beside the database tell programs of one another, by whatever name they know it. SQLite's own locks belong
// to the file that was opened, also after another one has taken its name; so they cannot keep a program from opening the old
// one in the moment in which it is replaced.
const (
	servesSuffix = ".lock"  // locked by the one service
	usesSuffix   = ".inuse" // locked in common by all that have the database open, and alone by what replaces it
)

var errReplaced = errors.New("courant restore or an upgrade is at work on it: try again when it is done")

// lockOut keeps other services off the file, and what would replace it. It comes before anything is changed in the file.
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

// take takes a lock of the file, or says that another program holds it.
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
