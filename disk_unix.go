//go:build unix

package main

import "golang.org/x/sys/unix"

// freeBytes is how much room a program without privileges has in the folder's file system.
func freeBytes(folder string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(folder, &fs); err != nil {
		return 0, err
	}
	return fs.Bavail * uint64(fs.Bsize), nil
}
