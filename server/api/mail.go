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
	// Send sends a mail in plain text to one person, whom its error does not name.
	Send(ctx context.Context, to, subject, text string) error
}

// mailLink has a link sent to the address in a form, where there is something to send, after the answer.
func (s *Server) mailLink(c echo.Context, render func(web.Visit, web.Request) ([]byte, error), mayBeNew bool) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	view := web.Request{Email: fields.Get("email")}
	asked, limited := s.takeRequest(c, &view)
	if limited {
		return s.showRequest(c, http.StatusTooManyRequests, render, view)
	}
	language := language(c)
	s.later(c.Request().Context(), asked, func(ctx context.Context) error {
		to, secret, err := s.auth.RequestLink(ctx, view.Email, mayBeNew)
		if err != nil || secret == "" {
			return err
		}
		return s.sendLink(ctx, language, to, secret)
	})
	view.Done = true
	return s.showRequest(c, http.StatusOK, render, view)
}

// sendLink sends the address of the page that a secret opens.
func (s *Server) sendLink(ctx context.Context, language web.Language, to, secret string) error {
	subject := web.Text{FR: "Courant : choisir un mot de passe", EN: "Courant: choose a password"}
	text := web.Text{
		FR: "Bonjour,\n\nce lien permet de choisir le mot de passe de votre compte Courant. Il marche une fois, pendant 7 jours :\n\n",
		EN: "Hello,\n\nwith this link you choose the password of your Courant account. It works once, within 7 days:\n\n",
	}
	after := web.Text{
		FR: "\n\nSi vous n'avez rien demandé, ne faites rien.\n",
		EN: "\n\nIf you asked for nothing, do nothing.\n",
	}
	return s.mail.Send(ctx, to, subject.In(language), text.In(language)+LinkAddress(s.publicURL, secret)+after.In(language))
}

const (
	// laterTimeout is how long what an answer left to be done may take, mostAtOnce how much of it is done at once, and mostWaiting
	// how much may wait.
	laterTimeout = time.Minute
	mostAtOnce   = 10
	mostWaiting  = 1000
)

// errands are what answers left to be done.
type errands struct {
	mu      sync.Mutex
	busy    int // that are being done
	waiting []errand
}

type errand struct {
	ctx   context.Context
	asked int // how much was asked before from the same origin
	do    func(context.Context) error
}

// add adds an errand, unless it is the one that has to make room; dropped says that one had to. begin says that one more is to be
// done at once.
func (e *errands) add(added errand) (begin, dropped bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting = append(e.waiting, added)
	if len(e.waiting) > mostWaiting {
		e.take(func(one, other errand) bool { return other.asked >= one.asked })
		dropped = true
	}
	if begin = e.busy < mostAtOnce; begin {
		e.busy++
	}
	return begin, dropped
}

// next is the errand of whom asked for least before, the oldest of these.
func (e *errands) next() (errand, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.waiting) == 0 {
		e.busy--
		return errand{}, false
	}
	return e.take(func(one, other errand) bool { return other.asked < one.asked }), true
}

func (e *errands) take(better func(one, other errand) bool) errand {
	at := 0
	for i, other := range e.waiting {
		if better(e.waiting[at], other) {
			at = i
		}
	}
	taken := e.waiting[at]
	e.waiting = append(e.waiting[:at], e.waiting[at+1:]...)
	return taken
}

// later does something after the answer, in the name of whom the context tells: sooner for one whose origin has asked for less
// before. Close waits for it. Where too much is waiting, that of whom asked for most is left undone, and all of it when nobody waits
// any more.
func (s *Server) later(ctx context.Context, asked int, do func(context.Context) error) {
	if s.stopped.Err() != nil {
		return
	}
	begin, dropped := s.errands.add(errand{context.WithoutCancel(ctx), asked, do})
	if dropped {
		s.log.Error("a mail is not sent: too many are waiting")
	}
	if begin {
		s.working.Go(s.doErrands)
	}
}

func (s *Server) doErrands() {
	for {
		errand, found := s.errands.next()
		if !found {
			return
		}
		ctx, cancel := context.WithTimeout(errand.ctx, laterTimeout)
		stop := context.AfterFunc(s.stopped, cancel)
		if err := errand.do(ctx); err != nil {
			s.log.Error("a mail is not sent", "error", err.Error())
		}
		stop()
		cancel()
	}
}
