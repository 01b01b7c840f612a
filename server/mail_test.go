package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"courant/server/config"
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

// open starts the office and returns a configuration that leads to it, with encryption as in smtp.tls and with the certificate of the
// pool.
func (o *postOffice) open(t *testing.T, encryption string) (config.SMTP, *x509.CertPool) {
	t.Helper()
	certified := httptest.NewTLSServer(nil)
	certified.Close()
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	o.taken, o.envelopes = make(chan *mail.Message, 10), make(chan string, 10)
	server := smtp.NewServer(o)
	server.AllowInsecureAuth = encryption == "none"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	switch config := (&tls.Config{Certificates: certified.TLS.Certificates}); encryption {
	case "starttls":
		server.TLSConfig = config
	case "tls":
		listener = tls.NewListener(listener, config)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); server.Serve(listener) }()
	t.Cleanup(func() { server.Close(); <-ended })
	return config.SMTP{Host: "127.0.0.1", Port: port, From: "Courant <courant@example.org>", TLS: encryption}, roots
}

func TestAMailComesAsItWasWritten(t *testing.T) {
	for encryption, office := range map[string]*postOffice{
		"none": {}, "starttls": {user: "courant", password: "a secret"}, "tls": {user: "courant", password: "a secret"},
	} {
		cfg, roots := office.open(t, encryption)
		cfg.Username, cfg.Password = office.user, config.Secret(office.password)
		err := mailer{cfg: cfg, timeout: mailTimeout, roots: roots}.Send(t.Context(), "anne@example.org", "Courant : été", "Bonjour,\n\nhttps://courant.example.org/set-password?key=ABC\n")
		if err != nil {
			t.Fatal(err)
		}
		if got := <-office.envelopes; got != "courant@example.org to anne@example.org" {
			t.Errorf("the envelope is %s", got)
		}
		message := <-office.taken
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

func TestAMailThatIsRefusedNamesNobody(t *testing.T) {
	office := &postOffice{user: "courant", password: "a secret"}
	cfg, _ := office.open(t, "none")
	for name, test := range map[string]struct {
		password config.Secret
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
			cfg.Username, cfg.Password, cfg.TLS = office.user, test.password, test.tls
			err := mailer{cfg: cfg, timeout: mailTimeout}.Send(ctx, test.to, "subject", "https://courant.example.org/set-password?key=ABC")
			if err == nil || strings.Contains(err.Error(), test.to) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "key=") {
				t.Errorf("Send = %v, want an error without recipient and secret", err)
			}
		})
	}
}

// dripping is a mail server that sends a text again and again, until the connection ends.
func dripping(t *testing.T, greeting, again string) config.SMTP {
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
	t.Cleanup(func() { listener.Close(); <-ended })
	return config.SMTP{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, From: "courant@example.org", TLS: "none"}
}

func TestAMailServerThatNeverEndsIsReadNoFurther(t *testing.T) {
	for name, test := range map[string]struct{ greeting, again string }{
		"a line without end":     {"220 ", strings.Repeat("x", 1000)},
		"a reply without end":    {"", "220-" + strings.Repeat("x", 1000) + "\r\n"},
		"empty lines":            {"220 mail.example.org\r\n", "\r\n"},
		"a greeting, then noise": {"220 mail.example.org\r\n", "250-SIZE 1\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := dripping(t, test.greeting, test.again)
			err := mailer{cfg: cfg, timeout: mailTimeout}.Send(t.Context(), "anne@example.org", "subject", "text")
			if err == nil || len(err.Error()) > 4*mailErrorRunes {
				t.Errorf("Send = %v, want a short error", err)
			}
		})
	}
	cfg := dripping(t, "220 ", strings.Repeat("x", 1000))
	err := mailer{cfg: cfg, timeout: mailTimeout}.Send(t.Context(), "anne@example.org", "subject", "text")
	if err == nil || !strings.Contains(err.Error(), "the server sends more than 128 KiB for one mail") {
		t.Errorf("Send = %v", err)
	}
}

func TestAMailIsGivenUpWithItsContextThoughTheServerGoesOnSending(t *testing.T) {
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
	defer func() { listener.Close(); <-ended }()
	cfg := config.SMTP{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, From: "courant@example.org", TLS: "none"}
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { <-waiting; cancel(errors.New("the service stops")) }()
	err = mailer{cfg: cfg, timeout: time.Hour}.Send(ctx, "anne@example.org", "subject", "text")
	if err == nil || err.Error() != "mail: the service stops" {
		t.Errorf("Send = %v", err)
	}
}

func TestAMailThatIsNotTakenInTimeIsGivenUp(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts by the system's queue alone, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cfg := config.SMTP{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, From: "courant@example.org", TLS: "tls"}
	err = mailer{cfg: cfg, timeout: time.Millisecond}.Send(t.Context(), "anne@example.org", "subject", "text")
	if err == nil || err.Error() != "mail: the server did not take the mail within 1ms" {
		t.Errorf("Send = %v", err)
	}
}

func TestMailsAreSentWhereTheServerAndThePublicAddressAreKnown(t *testing.T) {
	for _, test := range []struct {
		host, publicURL string
		want            bool
	}{
		{"", "", false}, {"mail.example.org", "", false}, {"", "https://courant.example.org", false}, {"mail.example.org", "https://courant.example.org", true},
	} {
		got := newMailer(config.Config{Server: config.Server{PublicURL: test.publicURL}, SMTP: config.SMTP{Host: test.host}}) != nil
		if got != test.want {
			t.Errorf("host %q and public address %q: %t, want %t", test.host, test.publicURL, got, test.want)
		}
	}
}
