package hooks

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"courant/auth"
	"courant/store"
)

const (
	// attemptTime is how long a receiver may take, from the resolution of its name to the end of its answer.
	attemptTime = 10 * time.Second
	// answerBytes is how much of an answer is read, and of its header.
	answerBytes = 64 << 10
	// The most deliveries that are being sent: of one account, and in all. To one hook they are sent one after the other.
	mostOfAccount = 4
	mostAtOnce    = 16
)

// attemptsSpan is how long a delivery is attempted, from the first attempt to the last.
const attemptsSpan = 24 * time.Hour

// pauses are the times between the attempts of a delivery, attemptsSpan in all.
var pauses = []time.Duration{
	5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour,
	8*time.Hour + 23*time.Minute + 55*time.Second,
}

// Fault is why an attempt did not succeed, or why a hook is disabled.
type Fault string

const (
	FaultStatus     Fault = "status"     // the answer has a status other than 200 to 299
	FaultRedirect   Fault = "redirect"   // the answer is a redirection, which is not followed
	FaultGone       Fault = "gone"       // the answer is 410: the hook is disabled at once
	FaultTimeout    Fault = "timeout"    // there was no answer in time
	FaultAddress    Fault = "address"    // the name leads to an address that is not globally reachable
	FaultName       Fault = "name"       // the name has no address
	FaultTLS        Fault = "tls"        // the certificate is not valid for the name, or the receiver does not use TLS
	FaultConnection Fault = "connection" // the connection was refused or broke
	FaultMail       Fault = "mail"       // the mail server did not accept the mail
	FaultRights     Fault = "rights"     // the account may not read the dataset
	FaultGivenUp    Fault = "given_up"   // a delivery failed for 24 h, so the hook is disabled
)

// Faults returns all faults.
func Faults() []Fault {
	return []Fault{
		FaultStatus, FaultRedirect, FaultGone, FaultTimeout, FaultAddress, FaultName, FaultTLS, FaultConnection, FaultMail, FaultRights, FaultGivenUp,
	}
}

// newClient returns the client for addresses with TLS, or for those without.
func (s *Service) newClient(isPlain bool) *http.Client {
	dialer := &net.Dialer{Control: s.control(s.AllowPrivate, isPlain), Resolver: s.Resolver}
	return &http.Client{
		Timeout:       s.attemptTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{ // without a proxy
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.Roots},
			DisableKeepAlives:      true, // each delivery checks the address again
			DisableCompression:     true,
			MaxResponseHeaderBytes: answerBytes,
		},
	}
}

// due is what is due at an instant.
func due(now time.Time) store.Due { return store.Due{Now: now, Latest: now.Add(attemptsSpan)} }

// sendDue begins to send the deliveries that are due at an instant, as many as may be sent at once.
func (s *Service) sendDue(ctx context.Context, now time.Time) error {
	hooks, err := s.Store.DueHooks(ctx, due(now))
	if err != nil {
		return err
	}
	s.send(ctx, hooks)
	return nil
}

// send begins to send the next delivery of each hook, of as many as may be served at once.
func (s *Service) send(ctx context.Context, hooks []store.DueHook) {
	for _, hook := range s.sending.inTurn(hooks) {
		if !s.sending.begin(hook) {
			continue
		}
		s.working.Go(func() {
			if err := s.sendNext(ctx, hook); err != nil && ctx.Err() == nil {
				s.Log.Error("delivery not attempted", "webhook", hook.ID, "error", err.Error())
				pause(ctx, s.Clock, pauses[0])
			}
			s.sending.end(hook)
			s.Wake()
		})
	}
}

// sendNext attempts the delivery of a hook that is due first, if there still is one: hooks are listed while others are served.
func (s *Service) sendNext(ctx context.Context, hook store.DueHook) error {
	d, err := s.Store.DueDeliveryOf(ctx, hook.ID, due(s.Clock.Now()))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if d.Body, err = unpacked(d.Body); err != nil {
		return err
	}
	return s.attempt(ctx, d)
}

// attempt tries to send a delivery and stores what came of it.
func (s *Service) attempt(ctx context.Context, d store.DueDelivery) error {
	identity, err := s.Auth.IdentityOf(ctx, d.Hook.AccountID)
	if errors.Is(err, auth.ErrUnauthenticated) {
		return nil // disabled since it was read: it waits
	}
	if err != nil {
		return err
	}
	a := store.Attempt{Number: d.Number, Due: d.Next, Outcome: store.DeliveryDelivered}
	var retryAfter time.Duration
	switch {
	case d.Dataset != "" && identity.May(d.Dataset) != nil:
		a.Fault, a.Outcome = string(FaultRights), store.DeliveryRefused
	case d.Hook.URL == "":
		a.Fault = string(s.mail(ctx, d))
	default:
		var fault Fault
		a.Status, retryAfter, fault = s.post(ctx, d)
		a.Fault = string(fault)
	}
	if ctx.Err() != nil {
		return nil // the service stops: the delivery is sent again when it starts
	}
	a.At = s.Clock.Now()
	if a.Fault != "" && a.Outcome != store.DeliveryRefused {
		a.Outcome = store.DeliveryFailed
		switch {
		case d.Type == string(Test):
		case a.Fault == string(FaultGone):
			a.Disabled = a.Fault
		case d.Attempts >= len(pauses):
			a.Disabled = string(FaultGivenUp)
		default:
			wait, leftOut := pauseAfter(d.Attempts, retryAfter)
			a.Outcome, a.Next, a.LeftOut = store.DeliveryWaiting, a.At.Add(wait), leftOut
		}
	}
	if s.Attempted != nil {
		s.Attempted(a.Fault)
	}
	var note store.Note
	if a.Disabled != "" {
		s.Log.Warn("webhook or alert disabled", "webhook", d.Hook.ID, "to", describe(d.Hook.URL), "reason", a.Disabled)
		note = s.Auth.Note(auth.WithActor(ctx, auth.Actor{Email: auth.Itself}), auth.HookDisabled, d.Email, describe(d.Hook.URL))
	}
	s.record(ctx, a, note)
	return nil
}

// pauseAfter returns how long to wait after an attempt that failed, and how many of the planned attempts are left out because they fall
// within the receiver's Retry-After. before is how many attempts came before it. The last planned attempt is never left out.
func pauseAfter(before int, retryAfter time.Duration) (pause time.Duration, leftOut int) {
	pause = pauses[before]
	for ; pause < retryAfter && before+leftOut+1 < len(pauses); leftOut++ {
		pause += pauses[before+leftOut+1]
	}
	return pause, leftOut
}

// record stores an attempt, as soon as the database can be written: until then the delivery is not sent again.
func (s *Service) record(ctx context.Context, a store.Attempt, note store.Note) {
	for try := 1; ; try++ {
		err := s.Store.RecordAttempt(ctx, a, note)
		if err == nil || ctx.Err() != nil {
			return
		}
		if try == 1 {
			s.Log.Error("attempt to notify not recorded yet", "error", err.Error())
		}
		pause(ctx, s.Clock, pauses[0])
	}
}

// post sends a delivery to the address of a webhook. status is 0 if there was no answer; the fault is empty if it was accepted.
func (s *Service) post(ctx context.Context, d store.DueDelivery) (status int, retryAfter time.Duration, fault Fault) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Hook.URL, bytes.NewReader(d.Body))
	if err != nil {
		return 0, 0, FaultConnection
	}
	now := s.Clock.Now()
	sent := now // as the receiver's clock most probably has it
	if s.ClockAhead != nil {
		sent = now.Add(-s.ClockAhead(ctx))
	}
	timestamp := strconv.FormatInt(sent.Unix(), 10)
	request.Header = http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {s.UserAgent},
		"Webhook-Id": {d.ID}, "Webhook-Timestamp": {timestamp},
		"Webhook-Signature": {signatures(d.Hook, d.ID, timestamp, now, d.Body)},
	}
	if s.Simulated {
		request.Header["X-Courant-Data"] = []string{"simulated"}
	}
	client := s.tls
	if request.URL.Scheme == "http" {
		client = s.plain
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, 0, faultOf(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusSwitchingProtocols { // whose body is the connection, without a time limit
		_, _ = io.CopyN(io.Discard, answer.Body, answerBytes) // the status is what counts
	}
	switch status = answer.StatusCode; {
	case status/100 == 2:
		return status, 0, ""
	case status == http.StatusGone:
		return status, 0, FaultGone
	case status/100 == 3:
		return status, 0, FaultRedirect
	}
	return status, retryAfterOf(answer.Header.Get("Retry-After"), sent), FaultStatus
}

// retryAfterOf returns how long a receiver asks to be left alone.
func retryAfterOf(header string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) { // then it is the largest
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), attemptsSpan)
}

// faultOf returns what an error of a request means, without the addresses and names in its text.
func faultOf(err error) Fault {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.Is(err, errAddress):
		return FaultAddress
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return FaultTimeout
	case errors.As(err, &name):
		return FaultName
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert), errors.As(err, &unknown),
		strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return FaultTLS
	}
	return FaultConnection
}

// mail sends a delivery by mail.
func (s *Service) mail(ctx context.Context, d store.DueDelivery) Fault {
	if s.Mail == nil {
		return FaultMail
	}
	subject, text, err := s.mailOf(d)
	if err == nil {
		err = s.Mail.Send(ctx, d.Email, subject, text)
	}
	if err == nil {
		return ""
	}
	if ctx.Err() == nil {
		s.Log.Error("alert not mailed", "alert", d.Hook.ID, "error", err.Error())
	}
	return FaultMail
}
