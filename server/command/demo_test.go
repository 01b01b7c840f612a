package command

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"
)

// interruptingClock is a clock that ends a command when it is first asked for the time after the database in the folder was opened.
type interruptingClock struct {
	clockwork.Clock
	folder    string
	interrupt func()
}

func (c interruptingClock) Now() time.Time {
	if opened, _ := filepath.Glob(filepath.Join(c.folder, "*", "courant.db.lock")); len(opened) > 0 {
		c.interrupt()
	}
	return c.Clock.Now()
}

func TestADemoWhoseAccountCannotBeMadeLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	running := goleak.IgnoreCurrent()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	p := &Program{Stdout: io.Discard, Stderr: io.Discard, Clock: interruptingClock{clockwork.NewRealClock(), folder, interrupt}}
	if err := p.demo(ctx, false); !errors.Is(err, context.Canceled) {
		t.Errorf("demo = %v", err)
	}
	if left := fileNames(t, folder); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
	goleak.VerifyNone(t, running)
}
