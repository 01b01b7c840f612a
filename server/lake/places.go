package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"courant/store"
	"courant/store/backup/s3"
	"courant/store/disk"
)

// place stores files by path.
type place interface {
	// list returns the files whose paths begin with prefix, which ends with a slash.
	list(ctx context.Context, prefix string) (map[string]stored, error)
	// read returns the content of a small file; nil if there is none.
	read(ctx context.Context, path string) ([]byte, error)
	// newFile creates an unfinished file on the local disk.
	newFile() (*store.UnfinishedFile, error)
	// room returns an error if an unfinished file may not grow any more.
	room() error
	// put stores a file that is whole, in the place of the one that has its path.
	put(ctx context.Context, file *store.UnfinishedFile, path string) (stored, error)
	// cleanUp removes what interrupted programs have left.
	cleanUp(ctx context.Context, folder string) error
	// url returns the address of a file for messages.
	url(path string) string
	close() error
}

// stored is a file as its place describes it.
type stored struct {
	bytes int64
	tag   string
}

// mostManifestBytes is more than the manifest of a dataset ever has.
const mostManifestBytes = 8 << 20

// lockPath is where the file is whose lock shows that a folder is in use.
const lockPath = stateFolder + "/lock"

// ErrInUse is returned for a folder to which another program is writing.
var ErrInUse = errors.New("another export is writing to it")

// folder is a folder on a disk.
type folder struct {
	path     string
	database string
	mode     fs.FileMode // of the folder
	lock     *flock.Flock
}

func openFolder(database, path string) (*folder, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("export to %s: the folder does not exist: make it first", path)
	case err != nil:
		return nil, fmt.Errorf("export to %s: %w", path, err)
	case !info.IsDir():
		return nil, fmt.Errorf("export to %s: it is not a folder: name one", path)
	}
	f := &folder{path: path, database: database, mode: info.Mode().Perm()}
	if err := f.makeFolders(f.file(stateFolder)); err != nil {
		return nil, fmt.Errorf("export to %s: %w", path, explain(err))
	}
	f.lock = flock.New(f.file(lockPath))
	locked, err := f.lock.TryLock()
	switch {
	case err == nil && !locked:
		return nil, fmt.Errorf("export to %s: %w: wait until it has ended", path, ErrInUse)
	case errors.As(err, new(*fs.PathError)):
		return nil, fmt.Errorf("export to %s: %w", path, explain(err))
	}
	return f, nil // a file system without locks is used without one
}

func (f *folder) file(path string) string { return filepath.Join(f.path, filepath.FromSlash(path)) }

func (f *folder) url(path string) string { return f.file(path) }

// makeFolders makes a folder below the one of the files, and those between them, with the same access rights.
func (f *folder) makeFolders(path string) error {
	if err := os.Mkdir(path, f.mode); err == nil {
		return os.Chmod(path, f.mode)
	} else if errors.Is(err, fs.ErrNotExist) {
		if err := f.makeFolders(filepath.Dir(path)); err != nil {
			return err
		}
		return f.makeFolders(path)
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (f *folder) list(ctx context.Context, prefix string) (map[string]stored, error) {
	held := map[string]stored{}
	err := filepath.WalkDir(f.file(prefix), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return errors.Join(ignoreMissing(err), ctx.Err())
		}
		info, err := entry.Info()
		if err != nil {
			return ignoreMissing(err)
		}
		relative, err := filepath.Rel(f.path, name)
		held[filepath.ToSlash(relative)] = stored{bytes: info.Size()}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", f.path, err)
	}
	return held, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (f *folder) read(_ context.Context, path string) ([]byte, error) {
	if disk.FileSize(f.file(path)) > mostManifestBytes {
		return nil, nil
	}
	content, err := os.ReadFile(f.file(path))
	return content, ignoreMissing(err)
}

func (f *folder) newFile() (*store.UnfinishedFile, error) {
	return store.NewUnfinishedFile(f.file(stateFolder + "/file"))
}

func (f *folder) room() error { return disk.RoomToWrite(f.database, f.path) }

func (f *folder) put(_ context.Context, file *store.UnfinishedFile, path string) (stored, error) {
	name := f.file(path)
	if err := f.makeFolders(filepath.Dir(name)); err != nil {
		return stored{}, err
	}
	if err := os.Chmod(file.Name(), f.mode&0o666); err != nil {
		return stored{}, err
	}
	size := disk.FileSize(file.Name())
	return stored{bytes: size}, file.MoveTo(name)
}

func (f *folder) cleanUp(context.Context, string) error {
	return store.RemoveUnfinishedFiles(f.file(stateFolder))
}

func (f *folder) close() error { return f.lock.Unlock() }

// BucketError is an error of a bucket to which files are exported.
type BucketError struct{ error }

func (e BucketError) Unwrap() error { return e.error }

// bucket is a bucket of an S3-compatible store.
type bucket struct {
	*s3.Bucket
	prefix   string
	database string // beside which unfinished files are written
}

func openBucket(database string, in s3.Place) (*bucket, error) {
	opened, err := s3.Open(in.Options)
	if err != nil {
		return nil, BucketError{err}
	}
	return &bucket{Bucket: opened, prefix: in.Prefix, database: database}, nil
}

func bucketError(err error) error {
	if err == nil {
		return nil
	}
	return BucketError{err}
}

func (b *bucket) url(path string) string { return b.URL(b.prefix + path) }

func (b *bucket) list(ctx context.Context, prefix string) (map[string]stored, error) {
	objects, err := b.List(ctx, b.prefix+prefix)
	held := map[string]stored{}
	for _, object := range objects {
		held[strings.TrimPrefix(object.Key, b.prefix)] = stored{bytes: object.Bytes, tag: object.ETag}
	}
	return held, bucketError(err)
}

func (b *bucket) read(ctx context.Context, path string) ([]byte, error) {
	content, err := b.Read(ctx, b.prefix+path, mostManifestBytes)
	if errors.Is(err, s3.ErrNotFound) || errors.Is(err, s3.ErrDamaged) {
		return nil, nil
	}
	return content, bucketError(err)
}

// exportSuffix follows the name of the database in the name of a file that is written only to be uploaded.
const exportSuffix = ".export"

func (b *bucket) newFile() (*store.UnfinishedFile, error) {
	return store.NewUnfinishedFile(b.database + exportSuffix)
}

func (b *bucket) room() error { return disk.RoomBeside(b.database) }

func (b *bucket) put(ctx context.Context, file *store.UnfinishedFile, path string) (stored, error) {
	size := disk.FileSize(file.Name())
	etag, err := b.Upload(ctx, file.Name(), b.prefix+path)
	if errors.Is(err, s3.ErrDamaged) { // readers had better find no file than a damaged one
		err = errors.Join(err, b.Remove(ctx, b.prefix+path))
	}
	return stored{bytes: size, tag: etag}, bucketError(err)
}

func (b *bucket) cleanUp(ctx context.Context, folder string) error {
	return errors.Join(store.RemoveUnfinishedFiles(filepath.Dir(b.database)), bucketError(b.AbortUploads(ctx, b.prefix+folder+"/")))
}

func (b *bucket) close() error {
	b.Close()
	return nil
}
