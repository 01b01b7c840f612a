package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// errOutdated is a database that has to be brought up to date first; its text is for when others do not let go of it.
var errOutdated = errors.New("its schema has to be brought up to date, and another courant has it open: stop that one first")

// upgradeInfix, the schema and ".zst" come behind the name of a database that was saved before its schema was changed.
const upgradeInfix = ".schema-"

// upgrade saves the database beside itself and brings its schema up to date, a transaction each migration, while nobody
// else has it open: neither a service of an earlier courant nor a command. If a migration fails the saved database is put
// back, so that the earlier courant can go on.
func (s *Store) upgrade(ctx context.Context) (err error) {
	file, err := filepath.EvalSymlinks(s.file)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUnusableFile, s.path, err)
	}
	uses := lockBeside(file, usesSuffix)
	if err := s.take(file, uses.TryLock, errOutdated); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, uses.Unlock()) }()
	from, saved, err := s.migrateSaved(ctx, file)
	switch {
	case err == nil:
		return dropSaved(file, from)
	case saved == "":
		return fmt.Errorf("%s has schema %d and could not be saved before it is brought up to date: %w", s.path, from, err)
	}
	cause := err
	if err := putBack(context.WithoutCancel(ctx), saved, file); err != nil {
		return fmt.Errorf("%s could not be brought up to date from schema %d: %w; nor put back: %w: courant restore %s does it, with the courant before this one",
			s.path, from, cause, err, saved)
	}
	return fmt.Errorf("%s could not be brought up to date and is as it was, with schema %d, also in %s: use the courant before this one: %w",
		s.path, from, saved, cause)
}

func putBack(ctx context.Context, saved, file string) error {
	if err := foldLog(ctx, file); err != nil {
		return err
	}
	return put(ctx, saved, file, "")
}

// migrateSaved tells the schema that there was and, once the database is saved, where.
func (s *Store) migrateSaved(ctx context.Context, file string) (from int64, saved string, err error) {
	alone := &Store{path: s.path, file: file}
	if alone.writer, err = alone.pool(ctx, 1, "_txlock=immediate"); err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, alone.writer.Close()) }()
	provider, err := migrator(alone.writer)
	if err != nil {
		return 0, "", err
	}
	from, target, err := provider.GetVersions(ctx)
	if err != nil {
		return from, "", s.explain(err)
	}
	if from >= target {
		return from, "", nil // another program was faster
	}
	alone.reader = alone.writer
	name := savedName(file, from)
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return from, "", err
	}
	if err := alone.Backup(ctx, name); err != nil {
		return from, "", err
	}
	giveToOwner(file, name)
	if _, err := provider.Up(ctx); err != nil {
		return from, name, s.explain(err)
	}
	// The rows that a migration moved leave pages behind.
	_, err = alone.writer.ExecContext(ctx, "PRAGMA incremental_vacuum")
	return from, name, s.explain(err)
}

func savedName(file string, schema int64) string {
	return file + upgradeInfix + strconv.FormatInt(schema, 10) + compressedSuffix
}

// dropSaved removes the databases that were saved before earlier upgrades.
func dropSaved(file string, newest int64) error {
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		rest, ours := strings.CutPrefix(entry.Name(), filepath.Base(file)+upgradeInfix)
		schema, err := strconv.ParseInt(strings.TrimSuffix(rest, compressedSuffix), 10, 64)
		if !ours || err != nil || schema >= newest || entry.Name() != filepath.Base(savedName(file, schema)) {
			continue
		}
		if err := os.Remove(savedName(file, schema)); err != nil {
			return err
		}
	}
	return nil
}
