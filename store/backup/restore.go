package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	slashpath "path"
	"time"

	"courant/store"
	"courant/store/backup/s3"
)

// Restore is store.Restore of a file in a bucket.
func Restore(ctx context.Context, in s3.Options, key, path string, now time.Time, room store.Room) (store.Restored, error) {
	file, summed, err := download(ctx, in, key, path, room)
	if err != nil {
		return store.Restored{}, err
	}
	defer os.Remove(file)
	done, err := store.Restore(ctx, file, path, now, room)
	if err != nil {
		return store.Restored{}, fmt.Errorf("s3://%s/%s, downloaded: %w", in.Name, key, err)
	}
	done.Summed = summed // a bucket keeps the checksum with the file
	return done, nil
}

// downloadSuffix is behind the name of the database where a backup comes down to.
const downloadSuffix = ".download"

// download brings a backup beside the database, and tells whether it was compared with a checksum that went up with it.
func download(ctx context.Context, in s3.Options, key, path string, room store.Room) (file string, summed bool, err error) {
	from, err := s3.Open(in)
	if err != nil {
		return "", false, err
	}
	defer from.Close()
	file = path + downloadSuffix + slashpath.Ext(key)
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a restore that was killed
		return "", false, err
	}
	summed, err = from.Download(ctx, key, file, room)
	return file, summed, err
}
