package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"courant/server/api"
	"courant/server/config"
	"courant/store/storetest/await"
)

// postOffice is a mail server that takes mails with one user's password, and none for refused@example.org.
type postOffice struct {
	user, password string // empty: it asks for none
	taken          chan *mail.Message
	envelopes      chan string
}

func (o *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &delivery{office: o}, nil }

type delivery struct {
	office   *postOffice
	known    bool
	from, to string
}

func (d *delivery) AuthMechanisms() []string {
	if d.office.user == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (d *delivery) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != d.office.user || password != d.office.password {
			return errors.New("who is that?")
		}
		d.known = true
		return nil
	}), nil
}

func (d *delivery) Mail(from string, _ *smtp.MailOptions) error {
	if d.office.user != "" && !d.known {
		return smtp.ErrAuthRequired
	}
	d.from = from
	return nil
}

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to == "refused@example.org" {
		return &smtp.SMTPError{Code: 550, Message: "no mailbox " + to}
	}
	d.to = to
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	message, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(message.Body)
	if err != nil {
		return err
	}
	message.Body = strings.NewReader(string(body))
	d.office.envelopes <- d.from + " to " + d.to
	d.office.taken <- message
	return nil
}

func (*delivery) Reset()        {}
func (*delivery) Logout() error { return nil }

// certified is a certificate for this machine, and the pool that trusts it.
func certified(t *testing.T) ([]tls.Certificate, *x509.CertPool) {
	t.Helper()
	site := httptest.NewTLSServer(nil)
	site.Close()
	roots := x509.NewCertPool()
	roots.AddCert(site.Certificate())
	return site.TLS.Certificates, roots
}

// open starts the office and returns a configuration that leads to it, with encryption as in smtp.tls and with the certificate of the
// pool.
func (o *postOffice) open(t *testing.T, encryption string) (mailServer, *x509.CertPool) {
	t.Helper()
	certificates, roots := certified(t)
	o.taken, o.envelopes = make(chan *mail.Message, 10), make(chan string, 10)
	office := smtp.NewServer(o)
	office.AllowInsecureAuth = encryption == "none"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	switch config := (&tls.Config{Certificates: certificates}); encryption {
	case "starttls":
		office.TLSConfig = config
	case "tls":
		listener = tls.NewListener(listener, config)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); office.Serve(listener) }()
	t.Cleanup(func() { office.Close(); await.Value(t, ended) })
	return mailServer{Host: "127.0.0.1", Port: port, From: "Courant <courant@example.org>", Encryption: encryption}, roots
}

func TestAMailComesAsItWasWritten(t *testing.T) {
	t.Parallel()
	for encryption, office := range map[string]*postOffice{
		"none": {}, "starttls": {user: "courant", password: "a secret"}, "tls": {user: "courant", password: "a secret"},
	} {
		cfg, roots := office.open(t, encryption)
		cfg.Username, cfg.Password = office.user, office.password
		err := mailer{mailServer: cfg, timeout: mailTimeout, roots: roots}.Send(t.Context(), "anne@example.org", "Courant : été", "Bonjour,\n\nhttps://courant.example.org/set-password?key=ABC\n")
		if err != nil {
			t.Fatal(err)
		}
		if got := await.Value(t, office.envelopes); got != "courant@example.org to anne@example.org" {
			t.Errorf("the envelope is %s", got)
		}
		message := await.Value(t, office.taken)
		body, _ := io.ReadAll(message.Body)
		// Quoted-printable writes a = as =3D.
		if text := strings.ReplaceAll(string(body), "=3D", "="); !strings.Contains(text, "https://courant.example.org/set-password?key=ABC") {
			t.Errorf("the mail is %s", text)
		}
		for name, want := range map[string]string{"From": `"Courant" <courant@example.org>`, "To": "<anne@example.org>", "Subject": "=?UTF-8?q?Courant_:_=C3=A9t=C3=A9?="} {
			if got := message.Header.Get(name); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
		if message.Header.Get("Date") == "" || message.Header.Get("Message-Id") == "" {
			t.Errorf("the header is %v", message.Header)
		}
	}
}

func TestTheErrorOfARefusedMailHasNoAddress(t *testing.T) {
	t.Parallel()
	office := &postOffice{user: "courant", password: "a secret"}
	cfg, _ := office.open(t, "none")
	for name, test := range map[string]struct {
		password string
		to, tls  string
		ended    bool
	}{
		"wrong password":    {"another secret", "anne@example.org", "none", false},
		"refused recipient": {"a secret", "refused@example.org", "none", false},
		"no encryption":     {"a secret", "anne@example.org", "starttls", false},
		"no TLS":            {"a secret", "anne@example.org", "tls", false},
		"no time left":      {"a secret", "anne@example.org", "none", true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if test.ended {
				cancel()
			}
			cfg := cfg
			cfg.Username, cfg.Password, cfg.Encryption = office.user, test.password, test.tls
			err := mailer{mailServer: cfg, timeout: mailTimeout}.Send(ctx, test.to, "subject", "https://courant.example.org/set-password?key=ABC")
			if err == nil || strings.Contains(err.Error(), test.to) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "key=") {
				t.Errorf("Send = %v, want an error without recipient and secret", err)
			}
		})
	}
}

// parrot is a mail server that refuses a mail at the password, the recipient or the end, and repeats what it was sent there.
func parrot(t *testing.T, refuses string) (mailServer, *x509.CertPool) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	certificates, roots := certified(t)
	listener = tls.NewListener(listener, &tls.Config{Certificates: certificates})
	talk := func(conn net.Conn) {
		defer conn.Close()
		line := func(format string, args ...any) { fmt.Fprintf(conn, format+"\r\n", args...) }
		line("220 here")
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			command, _, _ := strings.Cut(lines.Text(), " ")
			switch {
			case command == "EHLO" && refuses == "AUTH LOGIN":
				line("250-here\r\n250 AUTH LOGIN")
			case command == "EHLO":
				line("250-here\r\n250 AUTH PLAIN")
			case command == "AUTH" && refuses == "AUTH LOGIN":
				line("334 VXNlcm5hbWU6")
				lines.Scan()
				line("334 UGFzc3dvcmQ6")
				lines.Scan()
				line("535 what is %s?", lines.Text())
			case command == refuses && refuses != "DATA":
				line("550 what is %s?", strings.ToUpper(lines.Text()))
			case command == "AUTH":
				line("235 good")
			case command == "DATA":
				line("354 go on")
				var said []string
				for lines.Scan() && lines.Text() != "." {
					said = append(said, lines.Text())
				}
				line("550 no: %s", strings.Join(said[len(said)-2:], " "))
			default:
				line("250 good")
			}
		}
	}
	var talks sync.WaitGroup
	talks.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			talks.Go(func() { talk(conn) })
		}
	})
	t.Cleanup(func() { listener.Close(); talks.Wait() })
	return mailServer{Host: "127.0.0.1", Port: port, From: "courant@example.org", Encryption: "tls", Username: "courant"}, roots
}

func TestWhatAMailServerRepeatsOfPasswordLinkAndRecipientIsHidden(t *testing.T) {
	t.Parallel()
	const password, key, to = "correct horse battery", "MZXW6YTBOIQGCIDUMVZXIIDPMYQGCIDMNFXGWIDUNBQXI2LTEBZW", "anne@example.org"
	for _, refuses := range []string{"AUTH", "AUTH LOGIN", "RCPT", "DATA"} {
		t.Run(refuses, func(t *testing.T) {
			cfg, roots := parrot(t, refuses)
			cfg.Password = password
			err := mailer{mailServer: cfg, timeout: mailTimeout, roots: roots}.Send(t.Context(), to, "subject", "Hello,\n\n"+api.LinkAddress("https://courant.example.org", key)+"\n")
			if err == nil || !strings.Contains(err.Error(), "[hidden]") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("Send = %v, want what the server said with something hidden", err)
			}
			encoded := base64.StdEncoding.EncodeToString
			for _, secret := range []string{key[:20], key[30:], to, encoded([]byte("\x00courant\x00" + password))[:16], encoded([]byte(password))[:12]} {
				if strings.Contains(strings.ToLower(err.Error()), strings.ToLower(secret)) {
					t.Errorf("%v holds %s", err, secret)
				}
			}
		})
	}
}

// dripping is a mail server that sends a text again and again, until the connection ends.
func dripping(t *testing.T, greeting, again string) mailServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, err = io.WriteString(conn, greeting)
		for err == nil {
			_, err = io.WriteString(conn, again)
		}
	}()
	t.Cleanup(func() { listener.Close(); await.Value(t, ended) })
	return mailServer{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, From: "courant@example.org", Encryption: "none"}
}

func TestAMailServerThatNeverEndsIsReadNoFurther(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ greeting, again string }{
		"a line without end":     {"220 ", strings.Repeat("x", 1000)},
		"a reply without end":    {"", "220-" + strings.Repeat("x", 1000) + "\r\n"},
		"empty lines":            {"220 mail.example.org\r\n", "\r\n"},
		"a greeting, then noise": {"220 mail.example.org\r\n", "250-SIZE 1\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := dripping(t, test.greeting, test.again)
			err := mailer{mailServer: cfg, timeout: mailTimeout}.Send(t.Context(), "anne@example.org", "subject", "text")
			if err == nil || len(err.Error()) > 4*mailErrorRunes {
				t.Errorf("Send = %v, want a short error", err)
			}
		})
	}
	cfg := dripping(t, "220 ", strings.Repeat("x", 1000))
	err := mailer{mailServer: cfg, timeout: mailTimeout}.Send(t.Context(), "anne@example.org", "subject", "text")
	if err == nil || !strings.Contains(err.Error(), "the server sends more than 128 KiB for one mail") {
		t.Errorf("Send = %v", err)
	}
}

func TestAMailIsGivenUpWithItsContextThoughTheServerGoesOnSending(t *testing.T) {
	t.Parallel()
	waiting := make(chan struct{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { // says nothing
		defer close(ended)
		if conn, err := listener.Accept(); err == nil {
			close(waiting)
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	defer func() { listener.Close(); await.Value(t, ended) }()
	cfg := mailServer{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, From: "courant@example.org", Encryption: "none"}
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { <-waiting; cancel(errors.New("the service stops")) }()
	err = mailer{mailServer: cfg, timeout: time.Hour}.Send(ctx, "anne@example.org", "subject", "text")
	if err == nil || err.Error() != "mail: the service stops" {
		t.Errorf("Send = %v", err)
	}
}

func TestAMailThatIsNotTakenInTimeIsGivenUp(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts by the system's queue alone, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cfg := mailServer{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, From: "courant@example.org", Encryption: "tls"}
	err = mailer{mailServer: cfg, timeout: time.Millisecond}.Send(t.Context(), "anne@example.org", "subject", "text")
	if err == nil || err.Error() != "mail: the server did not take the mail within 1ms" {
		t.Errorf("Send = %v", err)
	}
}

func TestMailsAreSentWhereTheServerAndThePublicAddressAreKnown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		host, publicURL string
		want            bool
	}{
		{"", "", false}, {"mail.example.org", "", false}, {"", "https://courant.example.org", false}, {"mail.example.org", "https://courant.example.org", true},
	} {
		got := mailerOf(config.Config{Server: config.Server{PublicURL: test.publicURL}, SMTP: config.SMTP{Host: test.host}}, nil) != nil
		if got != test.want {
			t.Errorf("host %q and public address %q: %t, want %t", test.host, test.publicURL, got, test.want)
		}
	}
}
