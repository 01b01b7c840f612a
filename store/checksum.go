package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ChecksumSuffix ends the name of the file beside a backup with its SHA-256, in the format of sha256sum.
const ChecksumSuffix = ".sha256"

// mostChecksumBytes is how much of a checksum file is read. One line is far shorter: a name has a few hundred bytes at most.
const mostChecksumBytes = 64 << 10

// checksumLine matches a line of sha256sum. If the name has a backslash or a line break, it is escaped and the line begins with
// a backslash.
var checksumLine = regexp.MustCompile(`^\\?([0-9A-Fa-f]{64}) [ *](.+)$`)

var escapeName = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)

// checksumText returns the line that sha256sum prints for a file.
func checksumText(sum []byte, path string) string {
	name, mark := filepath.Base(path), ""
	if escaped := escapeName.Replace(name); escaped != name {
		name, mark = escaped, `\`
	}
	return mark + hex.EncodeToString(sum) + "  " + name + "\n"
}

// sumOf returns the SHA-256 of a file.
func sumOf(ctx context.Context, path string) ([]byte, error) {
	sum := sha256.New()
	if err := copyFile(ctx, sum, path); err != nil {
		return nil, err
	}
	return sum.Sum(nil), nil
}

// readChecksum reads the SHA-256 from the checksum file beside a backup, in hexadecimal; empty if there is no such file. The
// name in it matters only if it has several lines, because the backup may have been renamed.
func readChecksum(backup string) (string, error) {
	path := backup + ChecksumSuffix
	file, _, err := openRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, mostChecksumBytes))
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n")
	for _, line := range lines {
		parts := checksumLine.FindStringSubmatch(line)
		if parts != nil && (len(lines) == 1 || parts[2] == escapeName.Replace(filepath.Base(backup))) {
			return strings.ToLower(parts[1]), nil
		}
	}
	return "", fmt.Errorf("%s does not contain the SHA-256 of %s in the format of sha256sum: correct it, or remove it to restore without",
		path, filepath.Base(backup))
}

// RemoveBackup removes a backup and the checksum beside it.
func RemoveBackup(path string) error {
	// The checksum is removed first: without its backup it would never be found again.
	if err := ignoreMissing(os.Remove(path + ChecksumSuffix)); err != nil {
		return err
	}
	return os.Remove(path)
}
