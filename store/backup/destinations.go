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

// Destination is a folder or bucket in which scheduled backups are stored.
type Destination struct {
	target
	kind  string // folder or bucket
	name  string // for the log
	close func()

	due       time.Time // when the next backup is due
	notBefore time.Time // after a backup, or one that failed, no other is made before this
}

// target stores files by name.
type target interface {
	// names returns the names of the files that may be backups, ascending.
	names(context.Context) ([]string, error)
	// add stores the backup whole under its name, or not at all.
	add(context.Context, *pendingBackup) error
	remove(ctx context.Context, name string) error
	// cleanUp removes what interrupted backups have left.
	cleanUp(context.Context) error
}

// Destinations returns the folder, unless it is "", and the bucket, unless it has no name. The folder comes first, because a backup
// that is made there can be uploaded from there.
func Destinations(to string, in s3.Place) ([]*Destination, error) {
	var destinations []*Destination
	if to != "" {
		destinations = append(destinations, &Destination{target: folder(to), kind: "folder", name: to, close: func() {}})
	}
	if in.Name != "" {
		b, err := newBucketTarget(in)
		if err != nil {
			return nil, err
		}
		destinations = append(destinations, &Destination{target: b, kind: "bucket", name: b.bucket.URL(b.prefix), close: b.bucket.Close})
	}
	return destinations, nil
}

// all returns the instants of the scheduled backups there, ascending, including those that a clock which was ahead has dated later
// than now.
func (d *Destination) all(ctx context.Context) ([]time.Time, error) {
	names, err := d.names(ctx)
	if err != nil {
		return nil, err
	}
	var made []time.Time
	for _, name := range names {
		if instant, err := time.Parse(nameLayout, name); err == nil && instant.Format(nameLayout) == name {
			made = append(made, instant)
		}
	}
	slices.SortFunc(made, time.Time.Compare)
	return made, nil
}

// backups returns those of all that are not dated later than now.
func (d *Destination) backups(ctx context.Context, now time.Time) ([]time.Time, error) {
	made, err := d.all(ctx)
	return slices.DeleteFunc(made, func(instant time.Time) bool { return instant.After(now) }), err
}

// folder stores backups in a folder on a disk.
type folder string

func (f folder) names(context.Context) ([]string, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, fmt.Errorf("list the backups: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

func (f folder) add(ctx context.Context, backup *pendingBackup) error {
	return backup.writeTo(ctx, filepath.Join(string(f), backup.name()))
}

func (f folder) remove(_ context.Context, name string) error {
	return store.RemoveBackup(filepath.Join(string(f), name))
}

func (f folder) cleanUp(context.Context) error { return store.RemoveUnfinishedFiles(string(f)) }

// bucketTarget stores backups in a bucket.
type bucketTarget struct {
	bucket     *s3.Bucket
	prefix     string   // of the keys
	unverified []string // names of backups whose upload failed and which may be there all the same
}

func newBucketTarget(in s3.Place) (*bucketTarget, error) {
	opened, err := s3.Open(in.Options)
	if err != nil {
		return nil, err
	}
	return &bucketTarget{bucket: opened, prefix: in.Prefix}, nil
}

func (b *bucketTarget) names(ctx context.Context) ([]string, error) {
	objects, err := b.bucket.List(ctx, b.prefix+namePrefix)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, object := range objects {
		if name := strings.TrimPrefix(object.Key, b.prefix); !slices.Contains(b.unverified, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// add makes no backup if the bucket does not answer.
func (b *bucketTarget) add(ctx context.Context, backup *pendingBackup) error {
	if _, err := b.names(ctx); err != nil {
		return err
	}
	file, err := backup.localFile(ctx)
	if err != nil {
		return err
	}
	b.unverified = append(b.unverified, backup.name())
	if _, err = b.bucket.Upload(ctx, file, b.prefix+backup.name()); err == nil {
		b.unverified = b.unverified[:len(b.unverified)-1]
	}
	b.unverified = slices.DeleteFunc(b.unverified, func(name string) bool { return b.remove(ctx, name) == nil })
	return err
}

func (b *bucketTarget) remove(ctx context.Context, name string) error {
	return b.bucket.Remove(ctx, b.prefix+name)
}

func (b *bucketTarget) cleanUp(ctx context.Context) error {
	return b.bucket.AbortUploads(ctx, b.prefix+namePrefix)
}

// Newest returns the address of the newest backup in the bucket that is not dated later than now, "" if there is none, and the address
// under which backups are stored.
func Newest(ctx context.Context, in s3.Place, now time.Time) (newest, where string, err error) {
	b, err := newBucketTarget(in)
	if err != nil {
		return "", "", err
	}
	defer b.bucket.Close()
	made, err := (&Destination{target: b}).backups(ctx, now)
	if len(made) > 0 {
		newest = b.bucket.URL(b.prefix + made[len(made)-1].Format(nameLayout))
	}
	return newest, b.bucket.URL(b.prefix), err
}
