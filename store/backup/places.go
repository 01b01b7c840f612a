package backup

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"courant/store"
	"courant/store/backup/s3"
)

// Place is where scheduled backups are kept.
type Place struct {
	shelf
	kind  string // folder or bucket
	name  string // for the log
	close func()

	due   time.Time // of the next backup
	again time.Time // before which none is made
}

// shelf is what keeps files by their names.
type shelf interface {
	// names are those of the files there that may be backups, ascending.
	names(context.Context) ([]string, error)
	// add has the backup there whole and under its name, or not at all.
	add(context.Context, *newBackup) error
	remove(ctx context.Context, name string) error
	// sweep removes what was begun and cut short.
	sweep(context.Context) error
}

// Bucket is where in a bucket backups are kept.
type Bucket struct {
	s3.Options
	Prefix string // of the keys
}

// Places are the folder, unless it is "", and the bucket, unless it has no name. The folder comes first: what is made there need
// not be made elsewhere.
func Places(to string, in Bucket) ([]*Place, error) {
	var places []*Place
	if to != "" {
		places = append(places, &Place{shelf: folder(to), kind: "folder", name: to, close: func() {}})
	}
	if in.Name != "" {
		s, err := newBucketShelf(in)
		if err != nil {
			return nil, err
		}
		places = append(places, &Place{shelf: s, kind: "bucket", name: s.bucket.URL(s.prefix), close: s.bucket.Close})
	}
	return places, nil
}

// all are the instants of the scheduled backups that are there, ascending, also those that a clock which was ahead has dated later
// than now.
func (p *Place) all(ctx context.Context) ([]time.Time, error) {
	names, err := p.names(ctx)
	if err != nil {
		return nil, err
	}
	var made []time.Time
	for _, name := range names {
		if instant, err := time.Parse(backupLayout, name); err == nil && instant.Format(backupLayout) == name {
			made = append(made, instant)
		}
	}
	slices.SortFunc(made, time.Time.Compare)
	return made, nil
}

// backups are those of all that are not dated later than now: the others count for nothing.
func (p *Place) backups(ctx context.Context, now time.Time) ([]time.Time, error) {
	made, err := p.all(ctx)
	return slices.DeleteFunc(made, func(instant time.Time) bool { return instant.After(now) }), err
}

// folder is a shelf on a disk.
type folder string

func (f folder) names(context.Context) ([]string, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, fmt.Errorf("backup.to: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

func (f folder) add(ctx context.Context, backup *newBackup) error {
	return backup.makeAt(ctx, filepath.Join(string(f), backup.name()))
}

func (f folder) remove(_ context.Context, name string) error {
	return store.RemoveBackup(filepath.Join(string(f), name))
}

func (f folder) sweep(context.Context) error { return store.RemoveUnfinishedFiles(string(f)) }

// bucketShelf is a shelf in a bucket.
type bucketShelf struct {
	bucket   *s3.Bucket
	prefix   string   // of the keys
	unproved []string // names of backups that may be there, and for which nothing vouches
}

func newBucketShelf(in Bucket) (*bucketShelf, error) {
	opened, err := s3.Open(in.Options)
	if err != nil {
		return nil, err
	}
	return &bucketShelf{bucket: opened, prefix: in.Prefix}, nil
}

func (s *bucketShelf) names(ctx context.Context) ([]string, error) {
	keys, err := s.bucket.Keys(ctx, s.prefix+backupBegin)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, key := range keys {
		if name := strings.TrimPrefix(key, s.prefix); !slices.Contains(s.unproved, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// add makes nothing for a bucket that does not answer.
func (s *bucketShelf) add(ctx context.Context, backup *newBackup) error {
	if _, err := s.names(ctx); err != nil {
		return err
	}
	file, err := backup.somewhere(ctx)
	if err != nil {
		return err
	}
	s.unproved = append(s.unproved, backup.name())
	if err = s.bucket.Upload(ctx, file, s.prefix+backup.name()); err == nil {
		s.unproved = s.unproved[:len(s.unproved)-1]
	}
	s.unproved = slices.DeleteFunc(s.unproved, func(name string) bool { return s.remove(ctx, name) == nil })
	return err
}

func (s *bucketShelf) remove(ctx context.Context, name string) error {
	return s.bucket.Remove(ctx, s.prefix+name)
}

func (s *bucketShelf) sweep(ctx context.Context) error {
	return s.bucket.AbortUploads(ctx, s.prefix+backupBegin)
}

// Newest is the address of the newest backup in the bucket that is not dated later than now, "" if there is none, and the address
// of where backups lie in it.
func Newest(ctx context.Context, in Bucket, now time.Time) (newest, where string, err error) {
	shelf, err := newBucketShelf(in)
	if err != nil {
		return "", "", err
	}
	defer shelf.bucket.Close()
	made, err := (&Place{shelf: shelf}).backups(ctx, now)
	if len(made) > 0 {
		newest = shelf.bucket.URL(shelf.prefix + made[len(made)-1].Format(backupLayout))
	}
	return newest, shelf.bucket.URL(shelf.prefix), err
}
