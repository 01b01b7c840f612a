package server

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/net/dns/dnsmessage"

	"courant/server/entrance"
)

// freePort returns an unused port of this machine.
func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// nameServer answers over TCP that every name is 127.0.0.1, and has no other address.
func nameServer(t *testing.T) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var working sync.WaitGroup
	working.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			working.Go(func() {
				defer conn.Close()
				answerName(conn)
			})
		}
	})
	t.Cleanup(func() { listener.Close(); working.Wait() })
	return listener.Addr().String()
}

// answerName reads one question and answers it; its length comes before a message.
func answerName(conn net.Conn) {
	var length uint16
	if binary.Read(conn, binary.BigEndian, &length) != nil {
		return
	}
	packet := make([]byte, length)
	var message dnsmessage.Message
	if _, err := io.ReadFull(conn, packet); err != nil || message.Unpack(packet) != nil || len(message.Questions) != 1 {
		return
	}
	message.Response, message.Additionals = true, nil
	if question := message.Questions[0]; question.Type == dnsmessage.TypeA {
		message.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Class: question.Class},
			Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
		}}
	}
	if answer, err := message.AppendPack([]byte{0, 0}); err == nil {
		binary.BigEndian.PutUint16(answer, uint16(len(answer)-2))
		conn.Write(answer)
	}
}

// pebble starts a certificate authority that checks names on these two ports, and returns a client of it.
func pebble(t *testing.T, httpPort, tlsPort int) *acme.Client {
	t.Helper()
	program, err := exec.LookPath("pebble")
	if err != nil {
		t.Skip("NOT TESTED: no pebble on PATH; go install github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1")
	}
	folder := t.TempDir()
	key, certificate := selfSigned(t, time.Now().Add(time.Hour), "127.0.0.1")
	port, management := freePort(t), freePort(t)
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": fmt.Sprintf("127.0.0.1:%d", port), "managementListenAddress": fmt.Sprintf("127.0.0.1:%d", management),
		"certificate": filepath.Join(folder, "certificate"), "privateKey": filepath.Join(folder, "key"), "httpPort": httpPort, "tlsPort": tlsPort,
		"profiles": map[string]any{"default": map[string]any{"description": "of the test", "validityPeriod": 90 * 24 * 3600}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"key": key, "certificate": certificate, "config": config} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "-config", filepath.Join(folder, "config"), "-dnsserver", nameServer(t))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	client := &acme.Client{HTTPClient: &http.Client{Transport: transport}, DirectoryURL: fmt.Sprintf("https://127.0.0.1:%d/dir", port)}
	for { // until it listens
		if _, err := client.Discover(t.Context()); err == nil {
			return client
		} else if t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
}

// certificateShown is what a visitor is shown.
func certificateShown(t *testing.T, s *Server) *x509.Certificate {
	t.Helper()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: testDomain, InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(t.Context(), "tcp", s.front.HTTPS.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
}

func TestACertificateIsGotAndRenewed(t *testing.T) {
	for _, test := range []struct {
		name string
		kept time.Duration // left of a certificate that is there already; 0: there is none
	}{
		{"for a new domain", 0},
		{"before it ends", 24 * time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			httpPort, tlsPort := freePort(t), freePort(t)
			cfg := behindTLS(t)
			ports := entrance.Options{
				HTTPAddr: fmt.Sprintf("127.0.0.1:%d", httpPort), HTTPSAddr: fmt.Sprintf("127.0.0.1:%d", tlsPort),
				Authority: pebble(t, httpPort, tlsPort),
			}
			if test.kept > 0 {
				keepCertificate(t, cfg.Server.TLS, time.Now().Add(test.kept))
			}
			s := serveAt(t, cfg, ports, t.Output())
			shown := certificateShown(t, s)
			for shown.Issuer.CommonName == shown.Subject.CommonName { // the old one, until it is renewed
				shown = certificateShown(t, s)
			}
			if err := shown.VerifyHostname(testDomain); err != nil || time.Until(shown.NotAfter) < 60*24*time.Hour {
				t.Errorf("until %s, error %v", shown.NotAfter, err)
			}
			for path, want := range map[string]os.FileMode{cfg.Server.TLS.CacheDir: 0o700, filepath.Join(cfg.Server.TLS.CacheDir, testDomain): 0o600} {
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
					t.Errorf("%s: %v, error %v", path, info.Mode(), err)
				}
			}
		})
	}
}
