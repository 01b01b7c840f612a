package server

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"courant/server/config"
	"courant/server/entrance"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
	"courant/store/storetest/await"
)

const testDomain = "courant.example.org"

// selfSigned is a key and a certificate for names, which may be addresses, as PEM: the key, then the certificate.
func selfSigned(t *testing.T, until time.Time, names ...string) (key, certificate []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: names[0]}, NotBefore: until.Add(-90 * 24 * time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})
}

// keepCertificate puts a certificate of our own where Courant keeps its own.
func keepCertificate(t *testing.T, cfg config.TLS, until time.Time) {
	t.Helper()
	if err := os.MkdirAll(cfg.CacheDir, 0o700); err != nil {
		t.Fatal(err)
	}
	key, certificate := selfSigned(t, until, cfg.Domain)
	if err := os.WriteFile(filepath.Join(cfg.CacheDir, cfg.Domain), append(key, certificate...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freePorts are the options of a front on whatever ports are free.
var freePorts = entrance.Options{HTTPSAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"}

// behindTLS is a configuration with testDomain, in a folder of its own.
func behindTLS(t *testing.T) config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.Database.Path, cfg.Ingest.Enabled = filepath.Join(storetest.Folder(t), "courant.db"), false
	cfg.Server.TLS = config.TLS{Domain: testDomain}
	cfg.Server.Addr, cfg.Server.PublicURL, cfg.Server.TLS.CacheDir = "", "https://"+testDomain, filepath.Join(filepath.Dir(cfg.Database.Path), "certificates")
	return cfg
}

// serve runs a service of cfg on free ports until the test ends, and returns it when it is ready.
func serve(t *testing.T, cfg config.Config, log io.Writer) *Server {
	t.Helper()
	return serveAt(t, cfg, freePorts, log)
}

func serveAt(t *testing.T, cfg config.Config, ports entrance.Options, log io.Writer) *Server {
	t.Helper()
	s, err := Open(t.Context(), cfg, Options{Clock: clockwork.NewRealClock(), Log: slog.New(slog.NewTextHandler(log, nil)), TLS: ports})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.Run(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(await.Value(t, ended), s.Close()); err != nil {
			t.Error(err)
		}
	})
	await.Value(t, ready)
	return s
}

// visitor is a client that reaches listener under every name and follows no redirect.
func visitor(t *testing.T, listener net.Listener, config *tls.Config) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, listener.Addr().String())
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func ask(t *testing.T, client *http.Client, method, url, host, body string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		request.Host = host
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response
}

func TestTheDomainIsServedByHTTPS(t *testing.T) {
	t.Parallel()
	cfg := behindTLS(t)
	keepCertificate(t, cfg.Server.TLS, time.Now().Add(80*24*time.Hour))
	s := serve(t, cfg, t.Output())
	secure := visitor(t, s.front.HTTPS, &tls.Config{InsecureSkipVerify: true})

	home := ask(t, secure, "GET", "https://"+testDomain+"/healthz", "", "")
	if home.StatusCode != http.StatusOK || home.Proto != "HTTP/2.0" || home.Header.Get("Strict-Transport-Security") != "max-age=31536000" {
		t.Errorf("%s %s with headers %v", home.Proto, home.Status, home.Header)
	}
	if elsewhere := ask(t, secure, "GET", "https://"+testDomain+"/healthz", "localhost", ""); elsewhere.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another host: %s", elsewhere.Status)
	}
	chosen := ask(t, secure, "POST", "https://"+testDomain+"/language", "", "language=en&next=/")
	if cookies := chosen.Cookies(); len(cookies) != 1 || !cookies[0].Secure {
		t.Errorf("%s with cookies %v", chosen.Status, cookies)
	}
	if s.listener != nil {
		t.Errorf("server.addr is not set, and %s is served", s.listener.Addr())
	}
	if plain := ask(t, visitor(t, s.front.HTTP, nil), "GET", "http://"+testDomain+"/x", "", ""); plain.StatusCode != http.StatusPermanentRedirect {
		t.Errorf("plain HTTP: %s", plain.Status)
	}

	for _, refused := range []*tls.Config{
		{ServerName: "other.example.org", InsecureSkipVerify: true},
		{InsecureSkipVerify: true}, // of an address: no name
		{ServerName: testDomain, InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11},
	} {
		dialer := tls.Dialer{Config: refused}
		conn, err := dialer.DialContext(t.Context(), "tcp", s.front.HTTPS.Addr().String())
		if err == nil {
			conn.Close()
			t.Errorf("%q by at most TLS %x was let in", refused.ServerName, refused.MaxVersion)
		}
	}
}

func TestBesideTLSAnAddressThatIsSetIsServedPlain(t *testing.T) {
	t.Parallel()
	cfg := behindTLS(t)
	keepCertificate(t, cfg.Server.TLS, time.Now().Add(80*24*time.Hour))
	cfg.Server.Addr, cfg.Metrics.OpenToLoopback = "127.0.0.1:0", true
	s := serve(t, cfg, t.Output())
	response := ask(t, visitor(t, s.listener, nil), "GET", "http://127.0.0.1/metrics", "", "")
	if response.StatusCode != http.StatusOK || response.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("%s with headers %v", response.Status, response.Header)
	}
}

// The stream over HTTP/2, through everything that stands before it: events arrive one by one, the connection serves other requests
// beside it, and the stream ends when the service stops.
func TestTheStreamIsServedOverHTTP2(t *testing.T) {
	t.Parallel()
	cfg := behindTLS(t)
	keepCertificate(t, cfg.Server.TLS, time.Now().Add(80*24*time.Hour))
	s := serve(t, cfg, t.Output())
	const email = "anne@example.org"
	token := ""
	err := s.auth.AddUser(t.Context(), email, "a phrase of four words", true)
	if err == nil {
		token, err = s.auth.CreateToken(t.Context(), email, "test", market.DeliveryDate{})
	}
	if err != nil {
		t.Fatal(err)
	}
	secure := visitor(t, s.front.HTTPS, &tls.Config{InsecureSkipVerify: true})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+testDomain+"/api/stream?datasets=day-ahead-prices", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := secure.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.Proto != "HTTP/2.0" || response.Header.Get("Content-Type") != "text/event-stream" || response.Header.Get("Content-Encoding") != "" {
		t.Fatalf("%s %s %v", response.Proto, response.Status, response.Header)
	}
	lines, ended := make(chan string), make(chan error, 1)
	go func() {
		scanner := bufio.NewScanner(response.Body)
		for scanner.Scan() {
			if name, _, _ := strings.Cut(scanner.Text(), ": "); name == "event" || name == "id" {
				lines <- scanner.Text()
			}
		}
		ended <- scanner.Err()
	}()
	if got := await.Value(t, lines); got != "id: 0" {
		t.Errorf("it begins with %q", got)
	}
	date := market.DeliveryDateOf(time.Now())
	for n := range 3 {
		price := market.Price{Start: date.Start().Unix() + int64(n)*market.QuarterSeconds, Resolution: market.PT15M, Price: market.Num(float64(-n))}
		run := &store.Run{Feed: "test", Datasets: []market.Dataset{market.DayAheadPrices}, Window: date.Period(), Started: time.Now(), Ended: time.Now(), Outcome: store.OutcomeOK}
		if err := s.store.Commit(t.Context(), run, market.Prices.Batch([]market.Price{price})); err != nil {
			t.Fatal(err)
		}
		event, id := await.Value(t, lines), await.Value(t, lines)
		if want := fmt.Sprintf("id: %d", n+1); event != "event: rows" || id != want {
			t.Errorf("commit %d: %s, %s", n, event, id)
		}
		if beside := ask(t, secure, "GET", "https://"+testDomain+"/healthz", "", ""); beside.StatusCode != http.StatusOK {
			t.Errorf("beside the stream: %s", beside.Status)
		}
	}
	s.server.EndStreams()
	if err := await.Value(t, ended); err != nil {
		t.Errorf("it ends with %v", err)
	}
}
