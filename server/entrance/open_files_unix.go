//go:build unix

package entrance

import "golang.org/x/sys/unix"

// openFiles is how many files and connections the process may have open. Go has raised the limit as far as it may.
func openFiles() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return manyFiles
	}
	return int(min(uint64(limit.Cur), manyFiles))
}
