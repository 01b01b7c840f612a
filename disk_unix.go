//go:build unix

package main

import (
	"errors"

	"golang.org/x/sys/unix"
)

// diskRoom is how much room a program without privileges has in the folder's file system, and how large that is, in bytes.
func diskRoom(folder string) (free, size uint64, err error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(folder, &fs); err != nil {
		return 0, 0, err
	}
	return fs.Bavail * uint64(fs.Bsize), fs.Blocks * uint64(fs.Bsize), nil
}

// openFiles is how many files and connections the process may have open. Go has raised the limit as far as it may.
func openFiles() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return manyFiles
	}
	return int(min(uint64(limit.Cur), manyFiles))
}

// sameDisk says whether two folders lie in one file system.
func sameDisk(a, b string) (bool, error) {
	var first, second unix.Stat_t
	if err := errors.Join(unix.Stat(a, &first), unix.Stat(b, &second)); err != nil {
		return false, err
	}
	return first.Dev == second.Dev, nil
}
