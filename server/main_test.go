package server_test

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"courant/server/command"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"courant": courant, "courant-hasty": hasty})
}

// courant is the whole program.
func courant() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(command.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, ""))
}
