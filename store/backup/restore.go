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

// Restore downloads a backup from a bucket and restores it at path, as store.Restore does with a file.
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
	done.Summed = summed // a bucket stores the checksum with the file
	return done, nil
}

// downloadSuffix follows the name of the database in the name of a downloaded backup.
const downloadSuffix = ".download"

// download writes a backup beside the database, and reports whether it was compared with a checksum that was uploaded with it.
func download(ctx context.Context, in s3.Options, key, path string, room store.Room) (file string, summed bool, err error) {
	from, err := s3.Open(in)
	if err != nil {
		return "", false, err
	}
	defer from.Close()
	file = path + downloadSuffix + slashpath.Ext(key)
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) { // a killed restore may have left it
		return "", false, err
	}
	summed, err = from.Download(ctx, key, file, room)
	return file, summed, err
}
