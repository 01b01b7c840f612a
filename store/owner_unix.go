//go:build unix

package store

import (
	"os"
	"syscall"
)

// giveToOwner has the files belong to whom the database file belongs to, so that the service can open what a command of
// root has made. A file that is not there is left out, and so is one that may not be given.
func giveToOwner(database string, files ...string) {
	info, err := os.Stat(database)
	if err != nil || os.Geteuid() != 0 {
		return
	}
	if owner, is := info.Sys().(*syscall.Stat_t); is {
		for _, file := range files {
			_ = os.Lchown(file, int(owner.Uid), int(owner.Gid))
		}
	}
}

// links is how many names a file has; 1 where that is not known.
func links(file string) uint64 {
	info, err := os.Stat(file)
	if err != nil {
		return 1
	}
	if is, known := info.Sys().(*syscall.Stat_t); known {
		return uint64(is.Nlink)
	}
	return 1
}
