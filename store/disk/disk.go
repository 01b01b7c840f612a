// Package disk asks the file system about free space, whether two folders are on one disk, and the size of files. It knows nothing of what
// is stored; its only rule is that a reserve stays free.
package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	// ReserveBytes stays free on the disk of the database, whatever could fill it, so that sign-ins, the log and the nightly upkeep, which
	// frees space, go on.
	ReserveBytes = 64_000_000
	Megabyte     = 1_000_000
)

// RoomBeside returns an error if the database may not grow any more; nil if there is space, or if the free space is not known.
func RoomBeside(database string) error {
	free, _, err := Free(filepath.Dir(database))
	if err != nil || free >= ReserveBytes {
		return nil
	}
	return fmt.Errorf("%d MB are free beside %s, and %d stay free: free some space", free/Megabyte, database, ReserveBytes/Megabyte)
}

// RoomToWrite returns an error if a file in the folder would use up the reserve on the disk of the database; nil if the folder is on
// another disk, or if the free space is not known.
func RoomToWrite(database, folder string) error {
	if shared, err := onOneDisk(filepath.Dir(database), folder); err != nil || !shared {
		return nil // writing the file will report what is wrong with the folder
	}
	return RoomBeside(database)
}

// RoomForRestore returns a function whose error says why a number of bytes may not be written beside the database; nil if there is space,
// or if the free space is not known.
func RoomForRestore(database string) func(bytes uint64) error {
	return func(bytes uint64) error {
		free, _, err := Free(filepath.Dir(database))
		if err != nil || free >= ReserveBytes && free-ReserveBytes >= bytes {
			return nil
		}
		return fmt.Errorf("%d MB are free beside %s: it takes %d, and %d stay free: free some space",
			free/Megabyte, database, bytes/Megabyte, ReserveBytes/Megabyte)
	}
}

// RoomForBackup returns an error if a backup would use up the reserve on the disk of the database. A compressed backup is first written
// uncompressed.
func RoomForBackup(database, to string) error {
	folder := filepath.Dir(to)
	shared, err := onOneDisk(filepath.Dir(database), folder)
	if err != nil || !shared {
		return nil // writing the backup will report what is wrong with the folder
	}
	free, _, err := Free(folder)
	if err != nil {
		return nil
	}
	size := uint64(FileSize(database))
	if strings.HasSuffix(to, ".zst") {
		size *= 2
	}
	if free >= size+ReserveBytes {
		return nil
	}
	return fmt.Errorf("%s lies on the database's disk, where %d MB are free: a backup may take %d, and %d stay free: free some space, or write it to another disk",
		folder, free/Megabyte, size/Megabyte, ReserveBytes/Megabyte)
}

// FileSize returns the size of a file in bytes, 0 if there is no such file.
func FileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// IsScarce reports whether less than a tenth of a disk is free.
func IsScarce(free, size uint64) bool { return free < size/10 }
