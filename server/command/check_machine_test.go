package command

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"courant/server/config"
)

// textOf is the text of a result, whether good or bad.
func textOf(v result) string {
	if v.err != nil {
		return "FAIL " + message(v.err)
	}
	return "ok " + v.found
}

func TestTheTimeZoneHasToBeParisOfToday(t *testing.T) {
	for _, test := range []struct {
		load func(string) (*time.Location, error)
		want string
	}{
		{time.LoadLocation, "ok "},
		{func(string) (*time.Location, error) { return nil, errors.New("unknown time zone") }, "FAIL the time zone Europe/Paris is missing: unknown time zone: unset ZONEINFO"},
		{func(string) (*time.Location, error) { return time.FixedZone("", 3600), nil }, "FAIL Europe/Paris is 3600 s from UTC in July 2026, not 7200"},
	} {
		if got := textOf(checkTimeZone(test.load)); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}

func TestFilesWithSecretsAreNotForEverybody(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.WriteFile(name, []byte(text), 0o600), os.Chmod(name, mode)); err != nil {
			t.Fatal(err)
		}
	}
	cfg := config.Default()
	cfg.Server.TLS.Domain = "courant.example.org"
	cfg.Server.TLS.CacheDir = "certificates"
	const secret = "entsoe: {security_token: token}"
	for _, test := range []struct {
		config               string
		configMode, database os.FileMode
		folder               os.FileMode
		want                 string
	}{
		{secret, 0o600, 0o600, 0o700, "ok"},
		{secret, 0o640, 0o640, 0o750, "ok"},
		{"contact: nobody", 0o644, 0o600, 0o700, "ok"},
		{secret, 0o644, 0o600, 0o700, "FAIL every user of this machine can read config.yaml: chmod o= config.yaml"},
		{"no: such key", 0o644, 0o600, 0o700, "FAIL every user of this machine can read config.yaml: chmod o= config.yaml"},
		{secret, 0o600, 0o604, 0o701, "FAIL every user of this machine can read courant.db certificates: chmod o= courant.db certificates"},
	} {
		write("config.yaml", test.config, test.configMode)
		write("courant.db", "", test.database)
		if err := errors.Join(os.MkdirAll("certificates", 0o700), os.Chmod("certificates", test.folder)); err != nil {
			t.Fatal(err)
		}
		if got := textOf(checkModes(secretFiles(cfg, "config.yaml"))); !strings.HasPrefix(got, test.want) {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

func TestTheTLSNameHasToLeadSomewhereAndItsCertificateToBeKept(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "certificates")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		addresses []string
		err       error
		folder    string
		want      []string
	}{
		{[]string{"127.0.0.1"}, nil, folder, []string{"ok courant.example.org leads to 127.0.0.1"}},
		{[]string{"192.0.2.1"}, nil, folder, []string{"ok courant.example.org leads to 192.0.2.1, which is no address of this machine"}},
		{nil, &net.DNSError{Err: "no such host"}, folder, []string{"FAIL courant.example.org is not found: give it", "no such host"}},
		{[]string{"127.0.0.1"}, nil, filepath.Join(file, "below"), []string{"FAIL ", "server.tls.cache_dir"}},
	} {
		got := textOf(checkTLS(t.Context(), config.TLS{Domain: "courant.example.org", CacheDir: test.folder},
			func(context.Context, string) ([]string, error) { return test.addresses, test.err }))
		for _, want := range test.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}
