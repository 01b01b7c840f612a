package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"courant/web"
)

// Mailer sends mails.
type Mailer interface {
	// Send sends a mail in plain text to one address. Its error does not contain the address.
	Send(ctx context.Context, to, subject, text string) error
}

// mailLink mails a link to the address in a form, after the answer, if there is one to send. The answer does not depend on that.
func (s *Server) mailLink(c echo.Context, render func(web.Visit, web.Request) ([]byte, error), mayBeNew bool) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	view := web.Request{Email: fields.Get("email")}
	asked, limited := s.countRequest(c, &view)
	if limited {
		return s.showRequest(c, http.StatusTooManyRequests, render, view)
	}
	language := language(c)
	s.sendLater(c.Request().Context(), asked, func(ctx context.Context) error {
		to, secret, err := s.auth.RequestLink(ctx, view.Email, mayBeNew)
		if err != nil || secret == "" {
			return err
		}
		return s.sendLink(ctx, language, to, secret)
	})
	view.Done = true
	return s.showRequest(c, http.StatusOK, render, view)
}

// sendLink mails the address of the page on which the secret of a link sets a password.
func (s *Server) sendLink(ctx context.Context, language web.Language, to, secret string) error {
	subject := web.Text{FR: "Courant : choisir un mot de passe", EN: "Courant: choose a password"}
	text := web.Text{
		FR: "Bonjour,\n\nce lien permet de choisir le mot de passe de votre compte Courant. Usage unique, valable 7 jours :\n\n",
		EN: "Hello,\n\nuse this link to choose the password of your Courant account. It works once, within 7 days:\n\n",
	}
	after := web.Text{
		FR: "\n\nSi vous n’avez rien demandé, ignorez ce message.\n",
		EN: "\n\nIf you did not ask for this, ignore this message.\n",
	}
	return s.mail.Send(ctx, to, subject.In(language), text.In(language)+LinkAddress(s.publicURL, secret)+after.In(language))
}

const (
	mailTimeout     = time.Minute // for one mail
	mostMailsAtOnce = 10
	mostQueuedMails = 1000
)

// mailQueue is the mails that are to be sent after the answers to their requests.
type mailQueue struct {
	mu      sync.Mutex
	sending int // goroutines that send
	waiting []queuedMail
}

type queuedMail struct {
	ctx   context.Context
	asked int // earlier requests from the same origin
	send  func(context.Context) error
}

// add adds a mail. If the queue is full, the mail of the origin with the most requests is dropped, the added one
// included. startSender reports whether the caller has to start one more goroutine that sends.
func (q *mailQueue) add(added queuedMail) (startSender, dropped bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, added)
	if len(q.waiting) > mostQueuedMails {
		q.take(func(one, other queuedMail) bool { return other.asked >= one.asked })
		dropped = true
	}
	if startSender = q.sending < mostMailsAtOnce; startSender {
		q.sending++
	}
	return startSender, dropped
}

// next removes and returns the oldest mail of the origin with the fewest requests. If it returns false, the goroutine
// that called it has to end.
func (q *mailQueue) next() (queuedMail, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.sending--
		return queuedMail{}, false
	}
	return q.take(func(one, other queuedMail) bool { return other.asked < one.asked }), true
}

func (q *mailQueue) take(better func(one, other queuedMail) bool) queuedMail {
	at := 0
	for i, other := range q.waiting {
		if better(q.waiting[at], other) {
			at = i
		}
	}
	taken := q.waiting[at]
	q.waiting = append(q.waiting[:at], q.waiting[at+1:]...)
	return taken
}

// sendLater sends a mail after the answer, with the actor that is in ctx. Origins that have made fewer requests come
// first. Close waits for the mails that are being sent. A mail is dropped when the queue is full or the server closes.
func (s *Server) sendLater(ctx context.Context, asked int, send func(context.Context) error) {
	if s.stopped.Err() != nil {
		return
	}
	startSender, dropped := s.mails.add(queuedMail{context.WithoutCancel(ctx), asked, send})
	if dropped {
		s.log.Error("mail not sent: the queue is full")
	}
	if startSender {
		s.working.Go(s.sendQueued)
	}
}

func (s *Server) sendQueued() {
	for {
		mail, found := s.mails.next()
		if !found {
			return
		}
		ctx, cancel := context.WithTimeout(mail.ctx, mailTimeout)
		stop := context.AfterFunc(s.stopped, cancel)
		if err := mail.send(ctx); err != nil {
			s.log.Error("mail not sent", "error", err.Error())
		}
		stop()
		cancel()
	}
}
