package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// output runs a command in folder to its end and returns what it wrote to stdout, without the spaces around it.
func output(ctx context.Context, folder string, env []string, stdin []byte, command ...string) (string, error) {
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Dir, c.Env, c.Stdin = folder, append(os.Environ(), env...), bytes.NewReader(stdin)
	var faults bytes.Buffer
	c.Stderr = &faults
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, bytes.TrimSpace(faults.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}

// build makes a binary of the package at source, as a release is built, and makes the folder it goes to.
func build(ctx context.Context, source, binary string) (bytes int64, err error) {
	if err := os.MkdirAll(filepath.Dir(binary), 0o700); err != nil {
		return 0, err
	}
	if _, err := output(ctx, source, []string{"CGO_ENABLED=0"}, nil, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "."); err != nil {
		return 0, err
	}
	return sizeOf(binary)
}
