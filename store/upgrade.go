package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// errOutdated is returned for a database that needs an upgrade first. Its text is for the case that another program has it open.
var errOutdated = errors.New("its schema has to be brought up to date, and another courant has it open: stop that one first")

// upgradeInfix, the schema and ".zst" follow the database's name in the name of a copy that an upgrade saves first.
const upgradeInfix = ".schema-"

// upgrade saves a copy beside the database and migrates it to the newest schema, one transaction for each migration, while no
// other program has it open. If a migration fails, upgrade restores the copy, so that the earlier version of Courant can go
// on. Each interrupted start saves a copy of the schema that it found. The first copy remains, because only that one is
// readable for the earlier version.
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
		return nil
	case saved == "":
		return fmt.Errorf("%s has schema %d and could not be saved before it is brought up to date: %w", s.path, from, err)
	}
	cause := err
	if err := putBack(context.WithoutCancel(ctx), saved, file); err != nil {
		return fmt.Errorf("%s could not be brought up to date from schema %d: %w; nor put back: %w: "+
			"courant restore %s does it, with the courant before this one", s.path, from, cause, err, saved)
	}
	also := ""
	if schemas, err := savedSchemas(file); err == nil && schemas[0] < from {
		also = fmt.Sprintf(" (what an earlier start saved is in %s, which an earlier one restores)", savedName(file, schemas[0]))
	}
	return fmt.Errorf("%s could not be brought up to date and is as it was, with schema %d, also in %s: use the courant before this one%s: %w",
		s.path, from, saved, also, cause)
}

func putBack(ctx context.Context, saved, file string) error {
	if err := foldLog(ctx, file); err != nil {
		return err
	}
	_, err := put(ctx, saved, file, "", func(uint64) error { return nil }, false) // there was room for a file of this size
	return err
}

// migrateSaved saves a copy of the database and migrates it. It returns the schema before and, once the copy is saved, its
// path.
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
		return from, "", nil // another program has upgraded it meanwhile
	}
	alone.reader = alone.writer
	name := savedName(file, from)
	if err := alone.backup(ctx, name, replaceExisting); err != nil {
		return from, "", err
	}
	giveToOwner(file, name, name+ChecksumSuffix)
	if _, err := provider.Up(ctx); err != nil {
		return from, name, s.explain(err)
	}
	// Rows that a migration moved leave free pages.
	_, err = alone.writer.ExecContext(ctx, "PRAGMA incremental_vacuum")
	return from, name, s.explain(err)
}

func savedName(file string, schema int64) string {
	return file + upgradeInfix + strconv.FormatInt(schema, 10) + compressedSuffix
}

// savedSchemas returns the schemas of the copies that upgrades have saved, in ascending order.
func savedSchemas(file string) ([]int64, error) {
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		return nil, err
	}
	var schemas []int64
	for _, entry := range entries {
		rest, ours := strings.CutPrefix(entry.Name(), filepath.Base(file)+upgradeInfix)
		schema, err := strconv.ParseInt(strings.TrimSuffix(rest, compressedSuffix), 10, 64)
		if ours && err == nil && entry.Name() == filepath.Base(savedName(file, schema)) {
			schemas = append(schemas, schema)
		}
	}
	slices.Sort(schemas)
	return schemas, nil
}

// removeSaved removes the copies that upgrades have saved, after a backup of the upgraded database. The first copy of the last
// upgrade remains until a backup after the next upgrade, as the way back to the version before. user_version, which nothing
// else uses, stores the schema of the last backup: it tells the copies of the last upgrade from older ones.
func (s *Store) removeSaved(ctx context.Context) error {
	file, err := filepath.EvalSymlinks(s.file)
	if err != nil {
		return err
	}
	schemas, err := savedSchemas(file)
	if err != nil {
		return err
	}
	var backedUp, latest int64
	err = s.reader.QueryRowContext(ctx,
		"SELECT user_version, (SELECT max(version_id) FROM goose_db_version) FROM pragma_user_version").Scan(&backedUp, &latest)
	if err != nil {
		return err
	}
	first := slices.IndexFunc(schemas, func(schema int64) bool { return schema >= backedUp })
	if first < 0 {
		return nil
	}
	for i, schema := range schemas {
		if i != first {
			err = errors.Join(err, RemoveBackup(savedName(file, schema)))
		}
	}
	if err != nil {
		return err
	}
	_, err = s.writer.ExecContext(ctx, "PRAGMA user_version = "+strconv.FormatInt(latest, 10))
	return err
}
