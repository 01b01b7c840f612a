package entrance

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/crypto/acme"
)

const testDomain = "courant.example.org"

// onFreePorts are options with testDomain, in a folder of its own.
func onFreePorts(t *testing.T) Options {
	return Options{Domain: testDomain, CacheDir: t.TempDir(), HTTPSAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"}
}

func TestPlainHTTPIsSentToTheDomainAndNowhereElse(t *testing.T) {
	t.Parallel()
	f, err := Open(onFreePorts(t), httpLimits, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer f.HTTPS.Close()
	defer f.HTTP.Close()
	for _, test := range []struct {
		method, url, host string
		status            int
		location          string
	}{
		{"GET", "/prix?a=b", testDomain, http.StatusPermanentRedirect, "https://courant.example.org/prix?a=b"},
		{"HEAD", "/", "Courant.Example.org:80", http.StatusPermanentRedirect, "https://courant.example.org/"},
		{"GET", "//other.example.org/", testDomain, http.StatusPermanentRedirect, "https://courant.example.org//other.example.org/"},
		{"POST", "/login", testDomain, http.StatusBadRequest, ""},
		{"GET", "/", "other.example.org", http.StatusMisdirectedRequest, ""},
		{"GET", "/", "192.0.2.1", http.StatusMisdirectedRequest, ""},
		{"GET", "/", "", http.StatusMisdirectedRequest, ""},
		{"GET", "/.well-known/acme-challenge/unknown", testDomain, http.StatusNotFound, ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), test.method, test.url, nil)
		r.URL.Path, r.Host = strings.SplitN(test.url, "?", 2)[0], test.host
		w := httptest.NewRecorder()
		f.Redirect.Handler.ServeHTTP(w, r)
		if w.Code != test.status || w.Header().Get("Location") != test.location {
			t.Errorf("%s %s of %q: %d to %q, want %d to %q", test.method, test.url, test.host, w.Code, w.Header().Get("Location"), test.status, test.location)
		}
		if policy := w.Header().Get("Content-Security-Policy"); policy == "" && test.status != http.StatusNotFound { // the authority's
			t.Errorf("%s %s of %q: no policy", test.method, test.url, test.host)
		}
	}
}

func TestTheLogExplainsAMissingCertificate(t *testing.T) {
	authority := httptest.NewServer(http.NotFoundHandler())
	defer authority.Close()
	cfg := onFreePorts(t)
	cfg.Authority = &acme.Client{DirectoryURL: authority.URL}
	var log bytes.Buffer
	f, err := Open(cfg, httpLimits, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.HTTPS.Close()
	defer f.HTTP.Close()
	for range 2 {
		for _, name := range []string{testDomain, "other.example.org"} {
			if _, err := f.TLS.GetCertificate(&tls.ClientHelloInfo{ServerName: name}); err == nil {
				t.Errorf("a certificate for %s", name)
			}
		}
	}
	if got := strings.Count(log.String(), "\n"); got != 1 || !strings.Contains(log.String(), "404") {
		t.Errorf("%d lines: %s", got, &log)
	}
}
