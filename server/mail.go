package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"

	"courant/ingest/source"
)

const (
	// mailTimeout is how long one mail may take, from dialing to the server's last answer.
	mailTimeout = 30 * time.Second
	// mailReplyBytes is how much is read from a mail server for one mail, including its certificates. A real server sends a few kilobytes;
	// the library would buffer an endless line in memory.
	mailReplyBytes = 128 << 10
	// mailErrorRunes is how many characters of a mail server's message go into an error.
	mailErrorRunes = 400
)

// ErrMailReply is an answer so long that it is not from a mail server.
var ErrMailReply = fmt.Errorf("the server sends more than %d KiB for one mail", mailReplyBytes>>10)

// mailServer is a server that accepts mails from Courant.
type mailServer struct {
	Host               string
	Port               int
	Username, Password string // empty: the server asks for none
	From               string // an address, with or without a name
	Encryption         string // "starttls", "tls" or "none"
}

// mailer sends mails through a server.
type mailer struct {
	mailServer
	timeout time.Duration
	roots   *x509.CertPool    // of the server's certificate; nil: those of the system
	explain func(error) error // adds to an error what to do; nil: errors are returned as they are
}

// Send sends a mail in plain text to one person, whom its error does not name. It returns when ctx ends, and after the mailer's timeout at
// the latest, whatever the server does.
func (m mailer) Send(ctx context.Context, to, subject, text string) error {
	late := fmt.Errorf("the server did not take the mail within %s", m.timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, m.timeout, late)
	defer cancel()
	err := m.send(ctx, to, subject, text)
	if err == nil {
		return nil
	}
	// The library reports only that its connection was closed. A dialer may notice the deadline before ctx does.
	end, _ := ctx.Deadline()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	} else if !time.Now().Before(end) {
		err = late
	}
	if m.explain != nil {
		err = m.explain(err)
	}
	message := []rune(m.hide(err.Error(), to, text))
	if len(message) > mailErrorRunes {
		message = append(message[:mailErrorRunes], '…')
	}
	return errors.New("mail: " + string(message))
}

// longWord is the length, in letters and digits, from which a word of a mail is hidden: no real word is that long, but the secret in a link
// is.
const longWord = 20

// hide returns the message of an error in one line, without the recipient, the password and the secrets in the mail's text. A server may
// repeat all of them.
func (m mailer) hide(message, to, text string) string {
	secrets := []string{m.Password, to}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(word) >= longWord {
			secrets = append(secrets, word)
		}
	}
	message = strings.ReplaceAll(strings.Join(strings.Fields(message), " "), to, "[recipient]")
	return source.Hide(message, secrets)
}

func (m mailer) send(ctx context.Context, to, subject, text string) error {
	message := mail.NewMsg()
	if err := message.From(m.From); err != nil {
		return err
	}
	if err := message.To(to); err != nil {
		return err
	}
	message.Subject(subject)
	message.SetDate()
	message.SetMessageID()
	message.SetBodyString(mail.TypeTextPlain, text)
	var dialer mailDialer
	defer dialer.close()
	secure := &tls.Config{ServerName: m.Host, MinVersion: tls.VersionTLS12, RootCAs: m.roots}
	// The library's own timeout applies to each call: that of ctx ends first.
	options := []mail.Option{
		mail.WithPort(m.Port), mail.WithTimeout(2 * mailTimeout), mail.WithTLSConfig(secure), mail.WithDialContextFunc(dialer.dial),
	}
	method := mail.SMTPAuthAutoDiscover
	switch m.Encryption {
	case "starttls":
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case "tls":
		// With WithSSL the library takes a connection that it did not dial itself for an unencrypted one, and sends no password.
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
		dialer.secure = secure
	case "none":
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
		method = mail.SMTPAuthPlain // which the library uses without encryption on this machine only
	}
	if m.Username != "" {
		options = append(options, mail.WithSMTPAuth(method),
			mail.WithUsername(m.Username), mail.WithPassword(m.Password))
	}
	client, err := mail.NewClient(m.Host, options...)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, dialer.close)()
	err = client.DialAndSendWithContext(ctx, message)
	if dialer.isExhausted() {
		return ErrMailReply
	}
	return err
}

// mailDialer dials the connection for one mail and closes it. The library closes it neither when its context ends nor after every error.
type mailDialer struct {
	secure *tls.Config // nil: the connection begins without encryption

	mu     sync.Mutex
	conn   *meteredConn
	closed bool
}

func (d *mailDialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	d.conn = &meteredConn{Conn: conn, left: mailReplyBytes}
	if d.secure != nil {
		return tls.Client(d.conn, d.secure), nil
	}
	return d.conn, nil
}

func (d *mailDialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.conn != nil {
		d.conn.Close()
	}
}

func (d *mailDialer) isExhausted() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.conn != nil && d.conn.left == 0
}

// meteredConn is a connection from which only a limited number of bytes is read.
type meteredConn struct {
	net.Conn
	left int // bytes
}

// Read implements net.Conn.
func (c *meteredConn) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, ErrMailReply
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
