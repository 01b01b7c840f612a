package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"courant/store"
)

const (
	// reserveBytes is what is left free on the database's disk by whatever could fill it, so that sign-ins, the log and the
	// nightly upkeep, which gives room back, go on.
	reserveBytes = 64_000_000
	megabyte     = 1_000_000
)

// roomBeside says why nothing more may be taken into the database; nil: there is room, or nobody knows.
func roomBeside(database string) error {
	free, _, err := diskRoom(filepath.Dir(database))
	if err != nil || free >= reserveBytes {
		return nil
	}
	return fmt.Errorf("%d MB are free beside %s, and %d stay free: make room", free/megabyte, database, reserveBytes/megabyte)
}

// roomForRestore says why so many bytes may not be written beside the database; nil: there is room, or nobody knows.
func roomForRestore(database string) store.Room {
	return func(bytes uint64) error {
		free, _, err := diskRoom(filepath.Dir(database))
		if err != nil || free >= reserveBytes && free-reserveBytes >= bytes {
			return nil
		}
		return fmt.Errorf("%d MB are free beside %s: it takes %d, and %d stay free: make room",
			free/megabyte, database, bytes/megabyte, reserveBytes/megabyte)
	}
}

// roomForBackup says why a backup may not be written: it would take the reserve of the database's disk. A compressed one is
// written plain first.
func roomForBackup(database, to string) error {
	folder := filepath.Dir(to)
	same, err := sameDisk(filepath.Dir(database), folder)
	if err != nil || !same {
		return nil // what is wrong with the folder, the backup itself says
	}
	free, _, err := diskRoom(folder)
	if err != nil {
		return nil
	}
	takes := uint64(fileSize(database))
	if strings.HasSuffix(to, ".zst") {
		takes *= 2
	}
	if free >= takes+reserveBytes {
		return nil
	}
	return fmt.Errorf("%s lies on the database's disk, where %d MB are free: a backup may take %d, and %d stay free: make room, or write it to another disk",
		folder, free/megabyte, takes/megabyte, reserveBytes/megabyte)
}
