package hooks

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jonboulle/clockwork"

	"courant/auth"
	"courant/ingest/report"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

const (
	// interval is how often the service looks at its work at least.
	interval = 30 * time.Second
	// statesInterval is how often the states of the datasets are judged.
	statesInterval = time.Minute
	// deliveryDays is how long deliveries are stored, and answerDays for how long back the answers on delivery dates.
	deliveryDays = 30
	answerDays   = 400
	// maxDescriptionRunes is how long a description may be.
	maxDescriptionRunes = 200
	// mostTests is how many tests of a hook are sent in an hour.
	mostTests = 20
)

// ErrDisabled is returned where a hook has to be enabled first.
var ErrDisabled = errors.New("the hook is disabled")

// Mailer sends mails.
type Mailer interface {
	// Send sends a mail in plain text to one address. Its error does not contain the address.
	Send(ctx context.Context, to, subject, text string) error
}

// Options is what a Service needs.
type Options struct {
	Store *store.Store
	Auth  *auth.Auth
	Clock clockwork.Clock
	Log   *slog.Logger
	// Report returns the state of the datasets.
	Report func(ctx context.Context, full bool) (report.Report, error)
	// ClockAhead returns by how much the clock is known to be wrong, negative if it is behind; nil: never. Receivers refuse what
	// was not signed within the last minutes.
	ClockAhead   func(ctx context.Context) time.Duration
	Mail         Mailer // nil: no mails are sent
	PublicURL    string // with which links in mails begin
	UserAgent    string
	AllowPrivate bool // deliver to addresses that are not globally reachable too, and without TLS to those
	Simulated    bool // the data are invented, which every delivery states

	Attempted func(fault string) // is called after each attempt; may be nil. An empty fault: it succeeded
	Resolver  *net.Resolver      // of the names of receivers; nil: that of the system
	Roots     *x509.CertPool     // of the certificates of receivers; nil: those of the system
}

// Service judges what hooks are about and delivers it.
type Service struct {
	Options
	attemptTime time.Duration
	control     func(allowPrivate, isPlain bool) controller
	tls, plain  *http.Client

	wake    chan struct{} // has a value if there may be work
	working sync.WaitGroup
	sending sending

	judged store.Position // of Run: commits up to it were judged; 0: not known yet
	stored time.Time      // of Run: when the position was stored last
}

// New returns a service. Run does its work.
func New(o Options) *Service {
	s := &Service{Options: o, attemptTime: attemptTime, control: control, wake: make(chan struct{}, 1), sending: newSending()}
	s.connect()
	return s
}

// connect makes the clients.
func (s *Service) connect() { s.tls, s.plain = s.newClient(false), s.newClient(true) }

// Wake makes Run look at its work soon.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run judges commits and states and sends what is due, until ctx ends. What is being sent then is sent again by the next Run.
func (s *Service) Run(ctx context.Context) {
	defer s.working.Wait()
	states := s.Clock.Now()
	for ctx.Err() == nil {
		work := []func(context.Context) error{s.judgeCommits}
		if s.Clock.Now().Sub(states).Abs() >= statesInterval {
			states = s.Clock.Now()
			work = append(work, s.judgeStates)
		}
		now := s.Clock.Now()
		work = append(work, func(ctx context.Context) error { return s.sendDue(ctx, now) })
		for _, part := range work {
			if err := part(ctx); err != nil && ctx.Err() == nil {
				s.Log.Error("webhooks and alerts failed", "error", strings.ReplaceAll(err.Error(), "\n", "; "))
			}
		}
		timer := s.Clock.NewTimer(s.untilNext(ctx, now))
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-timer.Chan():
		}
		timer.Stop()
	}
}

// untilNext returns how long there is nothing to do after what was due at an instant, as far as is known.
func (s *Service) untilNext(ctx context.Context, handled time.Time) time.Duration {
	next, err := s.Store.NextDelivery(ctx, handled)
	if err != nil || next.IsZero() {
		return interval
	}
	return min(max(next.Sub(s.Clock.Now()), 0), interval)
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, clock clockwork.Clock, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-clock.After(d):
	}
}

// sending is the hooks to which something is being sent.
type sending struct {
	mu    sync.Mutex
	hooks map[int64]int64 // their accounts
	turns map[int64]int64 // when the hooks with due deliveries had their last turn, counted by last
	last  int64
}

func newSending() sending { return sending{hooks: map[int64]int64{}, turns: map[int64]int64{}} }

// inTurn sorts the hooks that have due deliveries so that those come first that have waited longest for a turn: receivers that
// do not answer in time and have many deliveries waiting do not delay others.
func (s *sending) inTurn(due []store.DueHook) []store.DueHook {
	s.mu.Lock()
	defer s.mu.Unlock()
	turns := map[int64]int64{}
	for _, hook := range due {
		turns[hook.ID] = s.turns[hook.ID]
	}
	s.turns = turns
	return slices.SortedStableFunc(slices.Values(due), func(a, b store.DueHook) int { return cmp.Compare(turns[a.ID], turns[b.ID]) })
}

// begin reports whether something may be sent to a hook now. Then end has to be called.
func (s *sending) begin(hook store.DueHook) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, is := s.hooks[hook.ID]; is || len(s.hooks) >= mostAtOnce {
		return false
	}
	ofAccount := 0
	for _, account := range s.hooks {
		if account == hook.AccountID {
			ofAccount++
		}
	}
	if ofAccount >= mostOfAccount {
		return false
	}
	s.hooks[hook.ID] = hook.AccountID
	s.last++
	s.turns[hook.ID] = s.last
	return true
}

func (s *sending) end(hook store.DueHook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.hooks, hook.ID)
}

// Request is what a person or a program asks for.
type Request struct {
	URL         string       `json:"url"` // empty: by mail
	Events      []Event      `json:"events"`
	Description string       `json:"description"`
	Language    web.Language `json:"-"` // of mails
}

// Add makes a hook of the caller's account and returns it with its secret. The error is an *InputError, store.ErrFull, or that
// of auth.Identity.May for a dataset that the caller may not read.
func (s *Service) Add(ctx context.Context, identity auth.Identity, r Request) (store.Hook, error) {
	if r.URL != "" {
		if err := s.CheckURL(r.URL); err != nil {
			return store.Hook{}, err
		}
	}
	events, err := completed(r.Events, r.URL == "")
	if err != nil {
		return store.Hook{}, err
	}
	for _, e := range events {
		if err := identity.May(e.Dataset); err != nil {
			return store.Hook{}, err
		}
	}
	description := strings.TrimSpace(r.Description)
	if utf8.RuneCountInString(description) > maxDescriptionRunes || !utf8.ValidString(description) ||
		strings.ContainsFunc(description, unicode.IsControl) {
		return store.Hook{}, &InputError{"description", web.Text{
			FR: fmt.Sprintf("au plus %d caractères imprimables", maxDescriptionRunes),
			EN: fmt.Sprintf("at most %d printable characters", maxDescriptionRunes),
		}}
	}
	encoded, err := json.Marshal(events)
	if err != nil {
		return store.Hook{}, err
	}
	hook := store.Hook{
		AccountID: identity.AccountID, URL: r.URL, Events: string(encoded), Description: description, Language: string(r.Language),
		Secret: newSecret(), Created: s.Clock.Now(),
	}
	id, err := s.Store.AddHook(ctx, s.Auth.Note(ctx, auth.HookAdded, identity.Email, describe(r.URL)), hook)
	if err != nil {
		return store.Hook{}, err
	}
	s.Wake()
	return s.Store.HookOf(ctx, identity.AccountID, id)
}

// completed checks events and fills in what follows. What is only for programs is not sent by mail.
func completed(given []Event, byMail bool) ([]Event, error) {
	if len(given) == 0 || len(given) > MostEvents {
		return nil, &InputError{"events", web.Text{
			FR: fmt.Sprintf("une liste de 1 à %d événements", MostEvents), EN: fmt.Sprintf("a list of 1 to %d events", MostEvents),
		}}
	}
	events := slices.Clone(given)
	for i := range events {
		complete, err := events[i].complete()
		if byMail && err == nil && complete.Type == RowsRevised {
			err = &InputError{"type", web.Text{FR: "un autre type, par e-mail", EN: "another type, by e-mail"}}
		}
		var input *InputError
		if errors.As(err, &input) {
			return nil, &InputError{fmt.Sprintf("events[%d].%s", i, input.Field), input.Accepts}
		}
		if slices.ContainsFunc(events[:i], func(earlier Event) bool { return reflect.DeepEqual(earlier, complete) }) {
			return nil, &InputError{fmt.Sprintf("events[%d]", i), web.Text{FR: "un événement que la liste n'a pas déjà", EN: "an event that is not in the list already"}}
		}
		events[i] = complete
	}
	return events, nil
}

// Delete ends a hook of the caller's account; store.ErrNotFound if it has none with the ID.
func (s *Service) Delete(ctx context.Context, identity auth.Identity, id int64) error {
	hook, err := s.Store.HookOf(ctx, identity.AccountID, id)
	if err != nil {
		return err
	}
	return s.Store.DeleteHook(ctx, s.Auth.Note(ctx, auth.HookDeleted, identity.Email, describe(hook.URL)), identity.AccountID, id)
}

// Enable enables a disabled hook of the caller's account again; store.ErrNotFound if it has none with the ID.
func (s *Service) Enable(ctx context.Context, identity auth.Identity, id int64) error {
	hook, err := s.Store.HookOf(ctx, identity.AccountID, id)
	if err != nil || hook.Disabled.IsZero() {
		return err
	}
	return s.Store.EnableHook(ctx, s.Auth.Note(ctx, auth.HookEnabled, identity.Email, describe(hook.URL)), identity.AccountID, id)
}

// ReplaceSecret gives a hook of the caller's account a new secret, which it returns. The former one signs too for 24 h.
func (s *Service) ReplaceSecret(ctx context.Context, identity auth.Identity, id int64) (string, error) {
	hook, err := s.Store.HookOf(ctx, identity.AccountID, id)
	if err != nil {
		return "", err
	}
	secret := newSecret()
	note := s.Auth.Note(ctx, auth.HookSecretReplaced, identity.Email, describe(hook.URL))
	return secret, s.Store.ReplaceHookSecret(ctx, note, identity.AccountID, id, secret, s.Clock.Now().Add(formerLifetime))
}

// SendTest sends a test to a hook of the caller's account, once, and returns the delivery. The error is store.ErrNotFound,
// ErrDisabled, or store.ErrFull after too many.
func (s *Service) SendTest(ctx context.Context, identity auth.Identity, id int64) (store.Delivery, error) {
	hook, err := s.enabledOf(ctx, identity, id)
	if err != nil {
		return store.Delivery{}, err
	}
	now := s.Clock.Now()
	d, err := s.delivery(hook.ID, Test, "", now, testData{hook.ID, s.Simulated})
	if err != nil {
		return store.Delivery{}, err
	}
	if err := s.Store.AddDelivery(ctx, d, mostTests, now.Add(-time.Hour)); err != nil {
		return store.Delivery{}, err
	}
	s.Wake()
	return s.Store.DeliveryOf(ctx, hook.ID, d.ID)
}

// Resend sends a delivery of a hook of the caller's account again, with the same ID, 5 s after its newest attempt at the
// earliest. The error is store.ErrNotFound or ErrDisabled.
func (s *Service) Resend(ctx context.Context, identity auth.Identity, id int64, delivery string) (store.Delivery, error) {
	hook, err := s.enabledOf(ctx, identity, id)
	if err != nil {
		return store.Delivery{}, err
	}
	if err := s.Store.ResendDelivery(ctx, hook.ID, delivery, s.Clock.Now(), pauses[0]); err != nil {
		return store.Delivery{}, err
	}
	s.Wake()
	return s.Store.DeliveryOf(ctx, hook.ID, delivery)
}

// enabledOf returns a hook of the caller's account, or ErrDisabled.
func (s *Service) enabledOf(ctx context.Context, identity auth.Identity, id int64) (store.Hook, error) {
	hook, err := s.Store.HookOf(ctx, identity.AccountID, id)
	if err == nil && !hook.Disabled.IsZero() {
		err = ErrDisabled
	}
	return hook, err
}

// ByEndKey returns the hook of a link in a mail, which proves itself by its key; store.ErrNotFound if there is none, or if the
// key is another one.
func (s *Service) ByEndKey(ctx context.Context, id int64, key string) (store.Hook, error) {
	hook, err := s.Store.HookByID(ctx, id)
	if err != nil {
		return store.Hook{}, err
	}
	if hook.URL != "" || !isEndKey(hook, key) {
		return store.Hook{}, fmt.Errorf("hook %d: %w", id, store.ErrNotFound)
	}
	return hook, nil
}

// EndByKey ends the hook of a link in a mail. The error is store.ErrNotFound if there is none, or if the key is another one.
func (s *Service) EndByKey(ctx context.Context, id int64, key string) error {
	hook, err := s.ByEndKey(ctx, id, key)
	if err != nil {
		return err
	}
	account, err := s.Auth.Account(ctx, hook.AccountID)
	if err != nil {
		return err
	}
	return s.Store.DeleteHook(ctx, s.Auth.Note(ctx, auth.HookDeleted, account.Email, auth.ByLink), hook.AccountID, id)
}

// Prune deletes old deliveries and answers, and secrets that no longer sign.
func (s *Service) Prune(ctx context.Context) error {
	now := s.Clock.Now()
	if err := s.Store.DeleteFormerSecrets(ctx, now); err != nil {
		return err
	}
	return s.Store.PruneHooks(ctx, now.AddDate(0, 0, -deliveryDays), market.DeliveryDateOf(now).Add(-answerDays))
}
