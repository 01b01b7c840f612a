package disk

import (
	"errors"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

// Free returns how many bytes a program without privileges may still write to the folder's file system, and how large that is.
func Free(folder string) (free, size uint64, err error) {
	path, err := windows.UTF16PtrFromString(folder)
	if err != nil {
		return 0, 0, err
	}
	if err := windows.GetDiskFreeSpaceEx(path, &free, &size, nil); err != nil {
		return 0, 0, err
	}
	return free, size, nil
}

// onOneDisk reports whether two folders are on one drive or share.
func onOneDisk(a, b string) (bool, error) {
	first, firstErr := filepath.Abs(a)
	second, secondErr := filepath.Abs(b)
	return strings.EqualFold(filepath.VolumeName(first), filepath.VolumeName(second)), errors.Join(firstErr, secondErr)
}
