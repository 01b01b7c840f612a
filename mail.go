package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"courant/server"
)

// mailTimeout is how long one mail may take, from the call to the server's answer.
const mailTimeout = 30 * time.Second

// mailer sends mails through the configured server.
type mailer struct {
	cfg SMTPConfig
}

// newMailer is nil where mails cannot be sent, or would not know what address to lead to.
func newMailer(cfg Config) server.Mailer {
	if cfg.SMTP.Host == "" || cfg.Server.PublicURL == "" {
		return nil
	}
	return mailer{cfg.SMTP}
}

// Send sends a mail in plain text to one person, whom its error does not name.
func (m mailer) Send(ctx context.Context, to, subject, text string) error {
	if err := m.send(ctx, to, subject, text); err != nil {
		return errors.New(strings.ReplaceAll(fmt.Sprintf("mail: %v", err), to, "[recipient]"))
	}
	return nil
}

func (m mailer) send(ctx context.Context, to, subject, text string) error {
	message := mail.NewMsg()
	if err := message.From(m.cfg.From); err != nil {
		return err
	}
	if err := message.To(to); err != nil {
		return err
	}
	message.Subject(subject)
	message.SetDate()
	message.SetMessageID()
	message.SetBodyString(mail.TypeTextPlain, text)
	options := []mail.Option{mail.WithPort(m.cfg.Port), mail.WithTimeout(mailTimeout)}
	method := mail.SMTPAuthAutoDiscover
	switch m.cfg.TLS {
	case "starttls":
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case "tls":
		options = append(options, mail.WithSSL())
	case "none":
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
		method = mail.SMTPAuthPlain // which is used in the open within this machine only
	}
	if m.cfg.Username != "" {
		options = append(options, mail.WithSMTPAuth(method),
			mail.WithUsername(m.cfg.Username), mail.WithPassword(m.cfg.Password.Reveal()))
	}
	client, err := mail.NewClient(m.cfg.Host, options...)
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, message)
}
