//go:build unix

package disk

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Free returns how many bytes a program without privileges may still write to the folder's file system, and how large that is.
func Free(folder string) (free, size uint64, err error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(folder, &fs); err != nil {
		return 0, 0, err
	}
	return fs.Bavail * uint64(fs.Bsize), fs.Blocks * uint64(fs.Bsize), nil
}

// onOneDisk reports whether two folders are in one file system.
func onOneDisk(a, b string) (bool, error) {
	var first, second unix.Stat_t
	if err := errors.Join(unix.Stat(a, &first), unix.Stat(b, &second)); err != nil {
		return false, err
	}
	return first.Dev == second.Dev, nil
}
