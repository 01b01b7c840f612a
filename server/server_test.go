package server

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jonboulle/clockwork"

	"courant/server/config"
	"courant/server/entrance"
)

func TestAPortThatIsTakenIsNamed(t *testing.T) {
	t.Chdir(t.TempDir())
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	cfg := config.Default()
	cfg.Server.Addr = strings.TrimPrefix(taken.URL, "http://")
	_, err := Open(t.Context(), cfg, Options{Clock: clockwork.NewRealClock(), Log: slog.New(slog.DiscardHandler)})
	if !entrance.IsPortTaken(err) || !strings.Contains(err.Error(), "server.addr") {
		t.Errorf("error %v", err)
	}
}

func TestAServerThatIsOpenedAndNotRunLeavesNothingBehind(t *testing.T) {
	folder := t.TempDir()
	cfg := config.Default()
	cfg.Server.Addr, cfg.Database.Path = "127.0.0.1:0", filepath.Join(folder, "courant.db")
	for range 2 { // the second needs the port and the lock of the first
		s, err := Open(t.Context(), cfg, Options{Clock: clockwork.NewRealClock(), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Server.Addr = s.Addr()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	free := cfg.Server.Addr
	cfg.Server.TLS = config.TLS{Domain: testDomain, CacheDir: folder, HTTPSAddr: "127.0.0.1:0", HTTPAddr: strings.TrimPrefix(taken.URL, "http://")}
	if _, err := Open(t.Context(), cfg, Options{Clock: clockwork.NewRealClock(), Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Fatal("a port that is taken is opened")
	}
	cfg.Server.Addr, cfg.Server.TLS = free, config.TLS{}
	s, err := Open(t.Context(), cfg, Options{Clock: clockwork.NewRealClock(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("after a server that could not be opened: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Join(folder, "*-wal"))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
