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
	// mailTimeout is how long one mail may take, from the call to the server's last answer.
	mailTimeout = 30 * time.Second
	// mailReplyBytes is how much is read from a mail server for one mail, its certificates included. A server that is well needs a
	// few kilobytes; the library would keep a line that does not end in memory.
	mailReplyBytes = 128 << 10
	// mailErrorRunes is how much of what a mail server said goes into an error.
	mailErrorRunes = 400
)

// ErrMailReply is the answer of something that is no mail server.
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

// Send sends a mail in plain text to one person, whom its error does not name. It ends with ctx at once, and after the mailer's
// timeout in any case, whatever the server does.
func (m mailer) Send(ctx context.Context, to, subject, text string) error {
	late := fmt.Errorf("the server did not take the mail within %s", m.timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, m.timeout, late)
	defer cancel()
	err := m.send(ctx, to, subject, text)
	if err == nil {
		return nil
	}
	// The connection was closed under the library, which says only that. A dialer may see the end of the time before ctx does.
	end, _ := ctx.Deadline()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	} else if !time.Now().Before(end) {
		err = late
	}
	if m.explain != nil {
		err = m.explain(err)
	}
	said := []rune(m.hide(err.Error(), to, text))
	if len(said) > mailErrorRunes {
		said = append(said[:mailErrorRunes], '…')
	}
	return errors.New("mail: " + string(said))
}

// longWord is from how many letters and digits on a word of a mail is hidden: no word is as long, but the secret in a link is.
const longWord = 20

// hide makes one line of what an error of the library or of the server says, without the recipient, the password and the secrets in
// the mail's text. A server may repeat all of them.
func (m mailer) hide(said, to, text string) string {
	secrets := []string{m.Password, to}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(word) >= longWord {
			secrets = append(secrets, word)
		}
	}
	said = strings.ReplaceAll(strings.Join(strings.Fields(said), " "), to, "[recipient]")
	return source.Hide(said, secrets)
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
	var line mailLine
	defer line.close()
	secure := &tls.Config{ServerName: m.Host, MinVersion: tls.VersionTLS12, RootCAs: m.roots}
	// The library's own timeout is for one call, and is renewed: that of ctx comes first.
	options := []mail.Option{mail.WithPort(m.Port), mail.WithTimeout(2 * mailTimeout), mail.WithTLSConfig(secure), mail.WithDialContextFunc(line.dial)}
	method := mail.SMTPAuthAutoDiscover
	switch m.Encryption {
	case "starttls":
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case "tls":
		// With WithSSL the library takes a connection that it did not make itself for one in the clear, and sends no password.
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
		line.secure = secure
	case "none":
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
		method = mail.SMTPAuthPlain // which is used in the open within this machine only
	}
	if m.Username != "" {
		options = append(options, mail.WithSMTPAuth(method),
			mail.WithUsername(m.Username), mail.WithPassword(m.Password))
	}
	client, err := mail.NewClient(m.Host, options...)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, line.close)()
	err = client.DialAndSendWithContext(ctx, message)
	if line.tooMuch() {
		return ErrMailReply
	}
	return err
}

// mailLine is the connection over which one mail goes. The library closes it neither when its context ends nor after every error.
type mailLine struct {
	secure *tls.Config // nil: the connection begins in the clear

	mu     sync.Mutex
	conn   *meteredConn
	closed bool
}

func (l *mailLine) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	l.conn = &meteredConn{Conn: conn, left: mailReplyBytes}
	if l.secure != nil {
		return tls.Client(l.conn, l.secure), nil
	}
	return l.conn, nil
}

func (l *mailLine) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.conn != nil {
		l.conn.Close()
	}
}

func (l *mailLine) tooMuch() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn != nil && l.conn.left == 0
}

// meteredConn is a connection from which only so much is read.
type meteredConn struct {
	net.Conn
	left int // bytes
}

// Read is for net.Conn.
func (c *meteredConn) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, ErrMailReply
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
