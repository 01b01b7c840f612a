package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"courant/store"
	"courant/store/bucket"
)

// place is where scheduled backups are kept.
type place struct {
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

// newPlaces are those that the configuration names. The folder comes first: what is made there need not be made elsewhere.
func newPlaces(cfg BackupConfig) ([]*place, error) {
	var places []*place
	if cfg.To != "" {
		places = append(places, &place{shelf: folder(cfg.To), kind: "folder", name: cfg.To, close: func() {}})
	}
	if cfg.S3.Bucket != "" {
		s, err := newBucketShelf(cfg.S3)
		if err != nil {
			return nil, err
		}
		places = append(places, &place{shelf: s, kind: "bucket", name: s.bucket.URL(s.prefix), close: s.bucket.Close})
	}
	return places, nil
}

// all are the instants of the scheduled backups that are there, ascending, also those that a clock which was ahead has dated later
// than now.
func (p *place) all(ctx context.Context) ([]time.Time, error) {
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
func (p *place) backups(ctx context.Context, now time.Time) ([]time.Time, error) {
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

func (f folder) sweep(context.Context) error { return store.SweepParts(string(f)) }

// bucketShelf is a shelf in a bucket.
type bucketShelf struct {
	bucket   *bucket.Bucket
	prefix   string   // of the keys
	unproved []string // names of backups that may be there, and for which nothing vouches
}

func newBucketShelf(cfg S3Config) (*bucketShelf, error) {
	opened, err := openBucket(cfg, cfg.Bucket)
	if err != nil {
		return nil, err
	}
	return &bucketShelf{bucket: opened, prefix: cfg.Prefix}, nil
}

func openBucket(cfg S3Config, name string) (*bucket.Bucket, error) {
	return bucket.Open(bucket.Options{
		Endpoint: cfg.Endpoint, Name: name, Region: cfg.Region, AccessKey: cfg.AccessKey, SecretKey: cfg.SecretKey.Reveal(),
	})
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
