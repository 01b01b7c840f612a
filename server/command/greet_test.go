package command

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jonboulle/clockwork"

	"courant/server"
	"courant/server/config"
	"courant/store/storetest"
)

func TestTheFirstLinkIsForATerminalAndNeverForTheLog(t *testing.T) {
	for onTerminal, want := range map[bool]string{
		true:  `(?s)^There is no account yet\..*\n  http://127\.0\.0\.1:\d+/set-password\?key=[A-Z2-7]{52}\n\n$`,
		false: `^$`,
	} {
		cfg := config.Default()
		cfg.Server.Addr, cfg.Database.Path, cfg.Ingest.Enabled = "127.0.0.1:0", filepath.Join(storetest.Folder(t), "courant.db"), false
		var out, log bytes.Buffer
		p := &Program{Stdout: &out, Stderr: &log, Clock: clockwork.NewRealClock()}
		s, err := server.Open(t.Context(), cfg, server.Options{Clock: p.Clock, Log: p.logger(cfg.Log)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		err = s.Run(ctx, func() { p.greet(ctx, cfg, s, onTerminal); stop() })
		if err := errors.Join(err, s.Close()); err != nil {
			t.Error(err)
		}
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("on a terminal %t, standard output is %q, want %s", onTerminal, &out, want)
		}
		if got := strings.Count(log.String(), "courant user invite EMAIL --admin"); strings.Contains(log.String(), "key=") || (got == 1) == onTerminal {
			t.Errorf("on a terminal %t, the log is %s", onTerminal, &log)
		}
	}
}
