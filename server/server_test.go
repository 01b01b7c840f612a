package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"

	"courant/server/config"
	"courant/server/entrance"
	"courant/store"
)

// open opens a server that logs nothing.
func open(t *testing.T, cfg config.Config, ports entrance.Options) (*Server, error) {
	t.Helper()
	return Open(t.Context(), cfg, Options{Clock: clockwork.NewRealClock(), Log: slog.New(slog.DiscardHandler), TLS: ports})
}

func TestAServerThatFailsToOpenLeavesNothingBehind(t *testing.T) {
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	port := strings.TrimPrefix(taken.URL, "http://")
	isPortError := func(forTLS bool) func(error) bool {
		return func(err error) bool {
			var port *entrance.PortError
			return entrance.IsPortTaken(err) && errors.As(err, &port) && port.ForTLS == forTLS
		}
	}
	for _, step := range []struct {
		name  string
		spoil func(*testing.T, *config.Config, *entrance.Options)
		is    func(error) bool
	}{
		{"another serve has the database", func(t *testing.T, cfg *config.Config, _ *entrance.Options) {
			db, err := store.OpenAlone(t.Context(), cfg.Database.Path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
		}, func(err error) bool { return errors.Is(err, store.ErrInUse) }},
		{"the database is another program's", func(t *testing.T, cfg *config.Config, _ *entrance.Options) {
			cfg.Database.Path = filepath.Join(filepath.Dir(cfg.Database.Path), "notes.txt")
			if err := os.WriteFile(cfg.Database.Path, []byte("notes"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, func(err error) bool { return errors.Is(err, store.ErrPathTaken) }},
		{"the bucket cannot be", func(_ *testing.T, cfg *config.Config, _ *entrance.Options) {
			cfg.Backup.To, cfg.Backup.S3 = filepath.Dir(cfg.Database.Path), config.S3{Bucket: "backups"}
		}, func(err error) bool { return err != nil }},
		{"the public address cannot be", func(_ *testing.T, cfg *config.Config, _ *entrance.Options) { cfg.Server.PublicURL = "nowhere" }, func(err error) bool { return err != nil }},
		{"the port is taken", func(_ *testing.T, cfg *config.Config, _ *entrance.Options) { cfg.Server.Addr = port }, isPortError(false)},
		{"the port of HTTPS is taken", func(_ *testing.T, _ *config.Config, ports *entrance.Options) { ports.HTTPSAddr = port }, isPortError(true)},
		{"the port of HTTP is taken", func(_ *testing.T, _ *config.Config, ports *entrance.Options) { ports.HTTPAddr = port }, isPortError(true)},
	} {
		t.Run(step.name, func(t *testing.T) {
			cfg := behindTLS(t)
			cfg.Server.Addr, cfg.Backup.Schedule = "127.0.0.1:0", 0
			s, err := open(t, cfg, freePorts)
			if err != nil {
				t.Fatal(err)
			}
			ports := portsOf(s)
			cfg.Server.Addr = s.Addr()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			sound, addrs := cfg, []string{s.Addr(), ports.HTTPSAddr, ports.HTTPAddr}
			t.Run("opening", func(t *testing.T) {
				step.spoil(t, &cfg, &ports)
				running := goleak.IgnoreCurrent()
				if _, err := open(t, cfg, ports); !step.is(err) {
					t.Errorf("Open = %v", err)
				}
				goleak.VerifyNone(t, running)
			})
			for _, addr := range addrs {
				listener, err := net.Listen("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				listener.Close()
			}
			db, err := store.OpenAlone(context.Background(), sound.Database.Path)
			if err != nil {
				t.Fatalf("after a server that could not be opened: %v", err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
			for _, entry := range readDir(t, filepath.Dir(sound.Database.Path)) {
				switch name := entry.Name(); name {
				case "courant.db", "courant.db.lock", "courant.db.inuse", "notes.txt":
				default:
					t.Errorf("%s is left", name)
				}
			}
		})
	}
}

// portsOf are the ports at which a server listens for TLS.
func portsOf(s *Server) entrance.Options {
	return entrance.Options{HTTPSAddr: s.front.HTTPS.Addr().String(), HTTPAddr: s.front.HTTP.Addr().String()}
}

func readDir(t *testing.T, folder string) []os.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestAServerThatIsOpenedAndNotRunLeavesNothingBehind(t *testing.T) {
	cfg := behindTLS(t)
	cfg.Server.Addr = "127.0.0.1:0"
	ports := freePorts
	for range 2 { // the second needs the ports and the lock of the first
		s, err := open(t, cfg, ports)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Server.Addr, ports = s.Addr(), portsOf(s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	left, err := filepath.Glob(cfg.Database.Path + "-*")
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
