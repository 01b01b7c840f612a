//go:build unix

package entrance

import "golang.org/x/sys/unix"

// maxOpenFiles returns how many files and connections the process may have open. Go has raised the limit as far as it may.
func maxOpenFiles() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return unlimitedFiles
	}
	return int(min(uint64(limit.Cur), unlimitedFiles))
}
