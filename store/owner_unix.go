//go:build unix

package store

import (
	"os"
	"syscall"
)

// giveToOwner gives files to the owner of the database file if this program runs as root, so that the service can open
// files that a command of root has created. It skips files that do not exist or whose owner cannot be changed.
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

// links returns how many hard links a file has; 1 if that is not known.
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
