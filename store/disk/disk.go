// Package disk is what a file system says of itself: free room, one disk or two, the size of a file. What may come in here asks the
// system and knows nothing of what is stored; that it leaves a reserve free is its only rule.
package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	// ReserveBytes is what is left free on the database's disk by whatever could fill it, so that sign-ins, the log and the
	// nightly upkeep, which gives room back, go on.
	ReserveBytes = 64_000_000
	Megabyte     = 1_000_000
)

// RoomBeside says why nothing more may be taken into the database; nil: there is room, or nobody knows.
func RoomBeside(database string) error {
	free, _, err := Free(filepath.Dir(database))
	if err != nil || free >= ReserveBytes {
		return nil
	}
	return fmt.Errorf("%d MB are free beside %s, and %d stay free: make room", free/Megabyte, database, ReserveBytes/Megabyte)
}

// RoomForRestore says why so many bytes may not be written beside the database; nil: there is room, or nobody knows.
func RoomForRestore(database string) func(bytes uint64) error {
	return func(bytes uint64) error {
		free, _, err := Free(filepath.Dir(database))
		if err != nil || free >= ReserveBytes && free-ReserveBytes >= bytes {
			return nil
		}
		return fmt.Errorf("%d MB are free beside %s: it takes %d, and %d stay free: make room",
			free/Megabyte, database, bytes/Megabyte, ReserveBytes/Megabyte)
	}
}

// RoomForBackup says why a backup may not be written: it would take the reserve of the database's disk. A compressed one is
// written plain first.
func RoomForBackup(database, to string) error {
	folder := filepath.Dir(to)
	same, err := isSame(filepath.Dir(database), folder)
	if err != nil || !same {
		return nil // what is wrong with the folder, the backup itself says
	}
	free, _, err := Free(folder)
	if err != nil {
		return nil
	}
	takes := uint64(FileSize(database))
	if strings.HasSuffix(to, ".zst") {
		takes *= 2
	}
	if free >= takes+ReserveBytes {
		return nil
	}
	return fmt.Errorf("%s lies on the database's disk, where %d MB are free: a backup may take %d, and %d stay free: make room, or write it to another disk",
		folder, free/Megabyte, takes/Megabyte, ReserveBytes/Megabyte)
}

// FileSize is 0 for a file that is not there.
func FileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// IsScarce says that less than a tenth of a disk is free.
func IsScarce(free, size uint64) bool { return free < size/10 }
