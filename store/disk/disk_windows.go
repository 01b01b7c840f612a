package disk

import (
	"errors"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

// Free is how much room a program without privileges has in the folder's file system, and how large that is, in bytes.
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

// isSame says whether two folders lie on one drive or share.
func isSame(a, b string) (bool, error) {
	first, firstErr := filepath.Abs(a)
	second, secondErr := filepath.Abs(b)
	return strings.EqualFold(filepath.VolumeName(first), filepath.VolumeName(second)), errors.Join(firstErr, secondErr)
}
