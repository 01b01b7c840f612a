package main

import "golang.org/x/sys/windows"

// diskRoom is how much room a program without privileges has in the folder's file system, and how large that is, in bytes.
func diskRoom(folder string) (free, size uint64, err error) {
	path, err := windows.UTF16PtrFromString(folder)
	if err != nil {
		return 0, 0, err
	}
	if err := windows.GetDiskFreeSpaceEx(path, &free, &size, nil); err != nil {
		return 0, 0, err
	}
	return free, size, nil
}
