package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
)

// packedTables are the tables with values in blobs, which SQLite cannot check. check reads every row and compares it with its
// checksum, and with what was computed from it; has reports whether the schema has a table.
var packedTables = []struct {
	name  string
	check func(ctx context.Context, tx *sql.Tx, has func(table string) bool) error
}{
	{"afrr_energy_hour", checkHours},
	{"afrr_energy_revision", checkRevisedHours},
}

// checkIntegrity checks a database of any schema and returns its schema: SQLite's check of every page, the tables and columns
// of the schema, and every packed value. The integrity check, backups, restores and upgrades all use it. The error is
// ErrNotDatabase if the database is damaged or incomplete, and ErrNewer if this program does not know the schema.
func (s *Store) checkIntegrity(ctx context.Context, tx *sql.Tx) (schema int64, err error) {
	if schema, err = s.schemaOf(ctx, tx); err != nil {
		return 0, err
	}
	var vacuum string
	if err := tx.QueryRowContext(ctx, "PRAGMA auto_vacuum").Scan(&vacuum); err != nil {
		return 0, s.explain(err)
	}
	if vacuum != incrementalVacuum { // lost when another program copies the rows into a new file; no service would open it
		return 0, fmt.Errorf("%w: %s cannot give room back: run PRAGMA auto_vacuum = incremental and VACUUM in a copy of the file, and take that",
			ErrNotDatabase, s.path)
	}
	expected, err := objectsOf(ctx, schema)
	if err != nil {
		return 0, err
	}
	found, err := readObjects(ctx, tx)
	if err != nil {
		return 0, s.explain(err)
	}
	// This comes before integrity_check, which would read a long value into memory.
	if err := s.refuseLongValues(ctx, tx, expected, found); err != nil {
		return 0, err
	}
	var verdict string
	if err := tx.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return 0, s.explain(err)
	}
	if verdict != "ok" {
		return 0, s.damaged(verdict)
	}
	for key, object := range expected {
		if key.kind != "table" {
			continue
		}
		for _, column := range object.columns {
			if !slices.Contains(found[key].columns, column) {
				return 0, s.damaged(fmt.Sprintf("the table %s of schema %d is not there with its column %s", key.name, schema, column))
			}
		}
	}
	has := func(table string) bool {
		_, is := expected[objectKey{"table", table}]
		return is
	}
	for _, table := range packedTables {
		if !has(table.name) {
			continue
		}
		if err := table.check(ctx, tx, has); err != nil {
			var fault *sqlite.Error
			if ctx.Err() != nil || errors.As(err, &fault) {
				return 0, s.explain(err)
			}
			return 0, s.damaged(err.Error())
		}
	}
	return schema, nil
}

// mostValueBytes is how long a value may be. The longest are quarantined dates of some megabytes. A value of a gigabyte can
// take less than a megabyte of a compressed backup, and would fill the memory of a program that reads it.
const mostValueBytes = 32 << 20

// refuseLongValues returns an error if a value is too long. It reads only the lengths that SQLite stores before the values.
func (s *Store) refuseLongValues(ctx context.Context, tx *sql.Tx, expected, found map[objectKey]object) error {
	for key, object := range expected {
		var conditions []string
		for _, column := range object.columns {
			if key.kind == "table" && slices.Contains(found[key].columns, column) {
				conditions = append(conditions, fmt.Sprintf("octet_length(%q) > %d", column, mostValueBytes))
			}
		}
		if len(conditions) == 0 {
			continue
		}
		var isLong bool
		query := fmt.Sprintf("SELECT EXISTS (SELECT 1 FROM %q WHERE %s)", key.name, strings.Join(conditions, " OR "))
		if err := tx.QueryRowContext(ctx, query).Scan(&isLong); err != nil {
			return s.explain(err)
		}
		if isLong {
			return s.damaged(fmt.Sprintf("the table %s holds a value of more than %d MiB, far more than a real one", key.name, mostValueBytes>>20))
		}
	}
	return nil
}

func (s *Store) damaged(finding string) error {
	return fmt.Errorf("%w: %s is damaged: %s", ErrNotDatabase, s.path, finding)
}

// schemaOf reads the schema version of a database; ErrNewer if this program does not know it.
func (s *Store) schemaOf(ctx context.Context, tx *sql.Tx) (schema int64, err error) {
	err = tx.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version").Scan(&schema)
	if err != nil && errors.Is(s.explain(err), ErrNotDatabase) {
		return 0, s.explain(err)
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %s has no schema: %w", ErrNotDatabase, s.path, err)
	}
	memory, provider, err := inMemory()
	if err != nil {
		return 0, err
	}
	defer memory.Close()
	sources := provider.ListSources()
	if latest := sources[len(sources)-1].Version; schema > latest {
		return 0, newer(s.path, schema, latest)
	}
	return schema, nil
}

// inMemory opens an empty database in memory, with its migrations.
func inMemory() (*sql.DB, *goose.Provider, error) {
	db, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1) // each connection would have a database of its own
	provider, err := migrator(db)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, provider, nil
}

// objectKey names a table, view, index or trigger.
type objectKey struct{ kind, name string }

// object is its entry in sqlite_schema.
type object struct {
	sql     string
	columns []string // of a table
}

// schemaObjects caches objectsOf by schema: the migrations are part of the program, so the objects of a schema never change.
var schemaObjects sync.Map

// objectsOf returns the objects of a database of a schema. Callers share the map and only read it.
func objectsOf(ctx context.Context, schema int64) (map[objectKey]object, error) {
	if objects, is := schemaObjects.Load(schema); is {
		return objects.(map[objectKey]object), nil
	}
	objects, err := migrateObjects(ctx, schema)
	if err == nil {
		schemaObjects.Store(schema, objects)
	}
	return objects, err
}

// migrateObjects reads the objects of a schema from a database in memory that the migrations have made.
func migrateObjects(ctx context.Context, schema int64) (map[objectKey]object, error) {
	db, provider, err := inMemory()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if _, err := provider.UpTo(ctx, schema); err != nil {
		return nil, fmt.Errorf("store: schema %d: %w", schema, err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	return readObjects(ctx, tx)
}

func readObjects(ctx context.Context, tx *sql.Tx) (map[objectKey]object, error) {
	objects := map[objectKey]object{}
	var key objectKey
	var statement, column string
	rows, err := tx.QueryContext(ctx, `SELECT o.type, o.name, ifnull(o.sql, ''), ifnull(c.name, '')
		FROM sqlite_schema o LEFT JOIN pragma_table_info(o.name) c ON o.type = 'table' AND o.sql LIKE 'CREATE TABLE %'`)
	err = eachRow(rows, err, []any{&key.kind, &key.name, &statement, &column}, func() error {
		objects[key] = object{statement, append(objects[key].columns, column)}
		return nil
	})
	return objects, err
}

// additions lists the tables, views and triggers that do not belong to Courant's schema, except those of SQLite and
// Litestream. Nothing checks their content, and a trigger or view would run with Courant's rights.
func (s *Store) additions(ctx context.Context, tx *sql.Tx, schema int64) ([]string, error) {
	expected, err := objectsOf(ctx, schema)
	if err != nil {
		return nil, err
	}
	found, err := readObjects(ctx, tx)
	if err != nil {
		return nil, s.explain(err)
	}
	var added []string
	for key, object := range found {
		own, known := expected[key]
		known = known || strings.HasPrefix(key.name, "sqlite_") || strings.HasPrefix(key.name, "_litestream_")
		// SQLite goes by the statement, not by the type beside it, and always writes these words at its start.
		isTable := key.kind == "table" && known && strings.HasPrefix(object.sql, "CREATE TABLE ")
		isIndex := key.kind == "index" && (object.sql == "" || strings.HasPrefix(object.sql, "CREATE INDEX ") ||
			strings.HasPrefix(object.sql, "CREATE UNIQUE INDEX "))
		if isTable || isIndex || own.sql != "" && own.sql == object.sql {
			continue
		}
		added = append(added, fmt.Sprintf("%s %q", key.kind, key.name))
	}
	slices.Sort(added)
	return added, nil
}

// Additions lists the tables, views and triggers in the database that are not Courant's, each as its type and name. A restore
// refuses backups that contain any.
func (s *Store) Additions(ctx context.Context) (added []string, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		schema, err := s.schemaOf(ctx, tx)
		if err != nil {
			return err
		}
		added, err = s.additions(ctx, tx, schema)
		return err
	})
	return added, wrap("additions", err)
}
