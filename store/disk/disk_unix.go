//go:build unix

package disk

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Free is how much room a program without privileges has in the folder's file system, and how large that is, in bytes.
func Free(folder string) (free, size uint64, err error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(folder, &fs); err != nil {
		return 0, 0, err
	}
	return fs.Bavail * uint64(fs.Bsize), fs.Blocks * uint64(fs.Bsize), nil
}

// isSame says whether two folders lie in one file system.
func isSame(a, b string) (bool, error) {
	var first, second unix.Stat_t
	if err := errors.Join(unix.Stat(a, &first), unix.Stat(b, &second)); err != nil {
		return false, err
	}
	return first.Dev == second.Dev, nil
}
