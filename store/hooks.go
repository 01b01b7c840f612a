package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"courant/store/market"
)

// MostHooks is how many hooks an account may have.
const MostHooks = 20

// Hook is what an account is notified of: at the address of a webhook, or by mail to the account.
type Hook struct {
	ID           int64
	AccountID    int64
	URL          string // empty: by mail
	Events       string // JSON, which package hooks writes and reads
	Description  string // may be empty
	Language     string // of mails
	Secret       string // signs what is sent
	FormerSecret string // signs it too until FormerUntil; empty: there is none
	FormerUntil  time.Time
	Since        Position // commits after it are looked at
	Created      time.Time
	Disabled     time.Time // zero: enabled
	DisabledWhy  string    // a word of package hooks; empty if it is enabled
}

const hookColumns = `hook.id, hook.account_id, hook.url, hook.events, hook.description, hook.language, hook.secret, hook.former_secret,
	hook.former_until_ms, hook.since, hook.created_ms, hook.disabled_ms, hook.disabled_why`

func (h *Hook) fields() []any {
	return []any{&h.ID, &h.AccountID, &h.URL, &h.Events, &h.Description, &h.Language, &h.Secret, &h.FormerSecret,
		instant{&h.FormerUntil}, &h.Since, instant{&h.Created}, instant{&h.Disabled}, &h.DisabledWhy}
}

func noHook(id int64) error { return fmt.Errorf("hook %d: %w", id, ErrNotFound) }

// AddHook stores a hook and returns its ID; ErrFull if the account has MostHooks already. What was committed until now is
// not looked at.
func (s *Store) AddHook(ctx context.Context, note Note, hook Hook) (id int64, err error) {
	err = s.writeNoted(ctx, "add hook", note, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM hook WHERE account_id = ?", hook.AccountID).Scan(&n); err != nil {
			return err
		}
		if n >= MostHooks {
			return fmt.Errorf("hooks of account %d: %w", hook.AccountID, ErrFull)
		}
		return tx.QueryRowContext(ctx, `
			INSERT INTO hook (account_id, url, events, description, language, secret, former_secret, since, created_ms)
			VALUES (?, ?, ?, ?, ?, ?, '', (SELECT ifnull(max(position), 0) FROM market_commit), ?) RETURNING id`,
			hook.AccountID, hook.URL, hook.Events, hook.Description, hook.Language, hook.Secret, hook.Created.UnixMilli()).Scan(&id)
	})
	return id, err
}

// HooksOf lists the hooks of an account, oldest first.
func (s *Store) HooksOf(ctx context.Context, accountID int64) ([]Hook, error) {
	return s.hooks(ctx, "WHERE account_id = ? ORDER BY id", accountID)
}

// EnabledHooks lists the hooks that are not disabled, also those of disabled accounts.
func (s *Store) EnabledHooks(ctx context.Context) ([]Hook, error) {
	return s.hooks(ctx, "WHERE disabled_ms IS NULL ORDER BY id")
}

// HookOf returns a hook of an account; ErrNotFound if the account has none with the ID.
func (s *Store) HookOf(ctx context.Context, accountID, id int64) (Hook, error) {
	return one(s.hooks(ctx, "WHERE account_id = ? AND id = ?", accountID, id))(noHook(id))
}

// HookByID returns the hook with the ID; ErrNotFound if there is none.
func (s *Store) HookByID(ctx context.Context, id int64) (Hook, error) {
	return one(s.hooks(ctx, "WHERE id = ?", id))(noHook(id))
}

// one returns a function that returns the only row of a query, or the error that there is none.
func one[T any](rows []T, err error) func(missing error) (T, error) {
	return func(missing error) (found T, _ error) {
		if err != nil {
			return found, err
		}
		if len(rows) == 0 {
			return found, missing
		}
		return rows[0], nil
	}
}

func (s *Store) hooks(ctx context.Context, where string, args ...any) ([]Hook, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT "+hookColumns+" FROM hook "+where, args...)
	hooks, err := collect(rows, err, (*Hook).fields)
	return hooks, wrap("hooks", err)
}

// DeleteHook deletes a hook of an account with its deliveries; ErrNotFound if the account has none with the ID.
func (s *Store) DeleteHook(ctx context.Context, note Note, accountID, id int64) error {
	return s.writeNoted(ctx, "delete hook", note, func(tx *sql.Tx) error {
		for _, table := range []string{"hook_answer", "hook_delivery"} {
			const ofHook = " WHERE hook_id = (SELECT id FROM hook WHERE id = ? AND account_id = ?)"
			_, err := tx.ExecContext(ctx, "DELETE FROM "+table+ofHook, id, accountID)
			if err != nil {
				return err
			}
		}
		return execOne(ctx, tx, noHook(id), "DELETE FROM hook WHERE id = ? AND account_id = ?", id, accountID)
	})
}

// EnableHook enables a disabled hook of an account; what was committed until now is not looked at. The error is ErrNotFound if
// the account has no hook with the ID.
func (s *Store) EnableHook(ctx context.Context, note Note, accountID, id int64) error {
	return s.writeNoted(ctx, "enable hook", note, func(tx *sql.Tx) error {
		return execOne(ctx, tx, noHook(id), `
			UPDATE hook SET disabled_ms = NULL, disabled_why = '', since = (SELECT ifnull(max(position), 0) FROM market_commit)
			WHERE id = ? AND account_id = ?`, id, accountID)
	})
}

// ReplaceHookSecret gives a hook of an account a new secret; until an instant the former one signs too. The error is
// ErrNotFound if the account has no hook with the ID.
func (s *Store) ReplaceHookSecret(ctx context.Context, note Note, accountID, id int64, secret string, until time.Time) error {
	return s.writeNoted(ctx, "replace secret", note, func(tx *sql.Tx) error {
		return execOne(ctx, tx, noHook(id), `
			UPDATE hook SET former_secret = secret, former_until_ms = ?, secret = ? WHERE id = ? AND account_id = ?`,
			until.UnixMilli(), secret, id, accountID)
	})
}

// DeleteFormerSecrets deletes the former secrets of hooks that are good until an instant at most.
func (s *Store) DeleteFormerSecrets(ctx context.Context, until time.Time) error {
	return s.exec(ctx, "delete former secrets", "UPDATE hook SET former_secret = '', former_until_ms = NULL WHERE former_until_ms <= ?", until.UnixMilli())
}

// DeliveryOutcome is what has become of a delivery.
type DeliveryOutcome string

const (
	DeliveryWaiting   DeliveryOutcome = "waiting"   // for its first attempt or another one
	DeliveryDelivered DeliveryOutcome = "delivered" // the receiver accepted it
	DeliveryFailed    DeliveryOutcome = "failed"    // there are no more attempts
	DeliveryRefused   DeliveryOutcome = "refused"   // the owner may not read the dataset, so it was not sent
)

// Delivery is an event that is sent to a hook, and what has become of it.
type Delivery struct {
	Number   int64  // ascends with time
	ID       string // webhook-id, the same at each attempt
	HookID   int64
	Type     string         // of the event
	Dataset  market.Dataset // that the owner must be allowed to read; empty: none
	Body     []byte         // as package hooks stores it; of one that is added or due, the others are read without it
	Created  time.Time
	Next     time.Time // the next attempt; zero: there is none
	Outcome  DeliveryOutcome
	Attempts int       // and those that a Retry-After left out
	Tried    time.Time // the newest attempt; zero: there was none
	Status   int       // of its answer; 0: there was none
	Fault    string    // a word of package hooks; empty if it succeeded
}

const deliveryColumns = `d.number, d.id, d.hook_id, d.type, d.dataset, d.created_ms, d.next_ms, d.outcome, d.attempts,
	d.tried_ms, d.status, d.fault`

func (d *Delivery) fields() []any {
	return []any{&d.Number, &d.ID, &d.HookID, &d.Type, &d.Dataset, instant{&d.Created}, instant{&d.Next}, &d.Outcome,
		&d.Attempts, instant{&d.Tried}, &d.Status, &d.Fault}
}

// insertDelivery adds a delivery, unless its hook is disabled or deleted.
func insertDelivery(ctx context.Context, tx *sql.Tx, d Delivery) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO hook_delivery (id, hook_id, type, dataset, body, created_ms, next_ms, outcome)
		SELECT ?, id, ?, ?, ?, ?, ?, 'waiting' FROM hook WHERE id = ? AND disabled_ms IS NULL`,
		d.ID, d.Type, string(d.Dataset), d.Body, d.Created.UnixMilli(), d.Next.UnixMilli(), d.HookID)
	return err
}

// AddDelivery adds a delivery to an enabled hook; ErrFull if it was given most of the same type since an instant.
func (s *Store) AddDelivery(ctx context.Context, d Delivery, most int, since time.Time) error {
	return s.writeNoted(ctx, "add delivery", Note{}, func(tx *sql.Tx) error {
		var n int
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM hook_delivery WHERE hook_id = ? AND type = ? AND created_ms > ?",
			d.HookID, d.Type, since.UnixMilli()).Scan(&n)
		if err != nil {
			return err
		}
		if n >= most {
			return fmt.Errorf("deliveries of hook %d: %w", d.HookID, ErrFull)
		}
		return insertDelivery(ctx, tx, d)
	})
}

// HookAnswer is the answer to the condition of a hook on a delivery date.
type HookAnswer struct {
	HookID int64
	Event  int // its place among the hook's events
	Date   market.DeliveryDate
	Answer []byte
}

// Lateness is whether a dataset was last announced as late.
type Lateness struct {
	IsLate bool
	Unwell time.Time // since when it has not been well; zero: it is
}

// HookProgress is what was found out for hooks, and what is sent for it.
type HookProgress struct {
	Position   Position // commits up to it were judged; 0: as before
	Deliveries []Delivery
	Answers    []HookAnswer
	Lateness   map[market.Dataset]Lateness
}

// RecordHookProgress stores progress in one transaction. It leaves out what is for hooks that were disabled or deleted
// meanwhile.
func (s *Store) RecordHookProgress(ctx context.Context, p HookProgress) error {
	return wrap("hook progress", s.write(ctx, func(tx *sql.Tx) error {
		for _, d := range p.Deliveries {
			if err := insertDelivery(ctx, tx, d); err != nil {
				return err
			}
		}
		for _, a := range p.Answers {
			_, err := tx.ExecContext(ctx, `
				INSERT INTO hook_answer (hook_id, event, delivery_date, answer) SELECT id, ?, ?, ? FROM hook WHERE id = ?
				ON CONFLICT (hook_id, event, delivery_date) DO UPDATE SET answer = excluded.answer`, a.Event, a.Date, a.Answer, a.HookID)
			if err != nil {
				return err
			}
		}
		for dataset, l := range p.Lateness {
			_, err := tx.ExecContext(ctx, `
				INSERT INTO hook_lateness (dataset, is_late, unwell_ms) VALUES (?1, ?2, ?3)
				ON CONFLICT (dataset) DO UPDATE SET is_late = ?2, unwell_ms = ?3`, dataset, l.IsLate, optionalMilliseconds(l.Unwell))
			if err != nil {
				return err
			}
		}
		if p.Position == 0 {
			return nil
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO hook_position (one, position) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET position = ?1`, p.Position)
		return err
	}))
}

// HookPosition returns the position up to which commits were judged; 0 if none were.
func (s *Store) HookPosition(ctx context.Context) (Position, error) {
	var position Position
	err := s.reader.QueryRowContext(ctx, "SELECT ifnull(max(position), 0) FROM hook_position").Scan(&position)
	return position, wrap("hook position", err)
}

// HookAnswerOn returns the newest answer to the condition of a hook on a delivery date; nil if it was not judged.
func (s *Store) HookAnswerOn(ctx context.Context, hookID int64, event int, date market.DeliveryDate) (answer []byte, err error) {
	err = s.reader.QueryRowContext(ctx, "SELECT answer FROM hook_answer WHERE hook_id = ? AND event = ? AND delivery_date = ?",
		hookID, event, date).Scan(&answer)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return answer, wrap("hook answer", err)
}

// Lateness returns what was last announced of each dataset. A dataset that was not looked at yet is not in it.
func (s *Store) Lateness(ctx context.Context) (map[market.Dataset]Lateness, error) {
	all := map[market.Dataset]Lateness{}
	var dataset market.Dataset
	var l Lateness
	rows, err := s.reader.QueryContext(ctx, "SELECT dataset, is_late, unwell_ms FROM hook_lateness")
	err = eachRow(rows, err, []any{&dataset, &l.IsLate, instant{&l.Unwell}}, func() error {
		all[dataset] = l
		return nil
	})
	return all, wrap("lateness", err)
}

// Due is what counts as due: what is to be sent by Now, and what is to be sent after Latest, which no pause allows, so that it was
// planned while the clock was ahead.
type Due struct{ Now, Latest time.Time }

// isDue is the condition of a due delivery d of an enabled hook whose account is not disabled. Its parameters are those of Due.
const isDue = `d.next_ms IS NOT NULL AND (d.next_ms <= ?1 OR d.next_ms > ?2) AND hook.disabled_ms IS NULL AND account.disabled_ms IS NULL`

func (d Due) args() []any { return []any{d.Now.UnixMilli(), d.Latest.UnixMilli()} }

// DueHook is a hook with a due delivery.
type DueHook struct{ ID, AccountID int64 }

// DueHooks lists the hooks with due deliveries.
func (s *Store) DueHooks(ctx context.Context, due Due) ([]DueHook, error) {
	rows, err := s.reader.QueryContext(ctx, `
		SELECT hook.id, account.id FROM hook JOIN account ON account.id = hook.account_id
		WHERE EXISTS (SELECT 1 FROM hook_delivery AS d WHERE d.hook_id = hook.id AND `+isDue+") ORDER BY hook.id", due.args()...)
	hooks, err := collect(rows, err, func(h *DueHook) []any { return []any{&h.ID, &h.AccountID} })
	return hooks, wrap("deliveries", err)
}

// ForgetLateness deletes what was announced of the datasets.
func (s *Store) ForgetLateness(ctx context.Context) error {
	return s.exec(ctx, "forget lateness", "DELETE FROM hook_lateness")
}

// DueDelivery is a delivery with its hook and the address of the account.
type DueDelivery struct {
	Delivery
	Hook  Hook
	Email string
}

// DueDeliveryOf returns the delivery of a hook that is due first; ErrNotFound if there is none.
func (s *Store) DueDeliveryOf(ctx context.Context, hookID int64, due Due) (DueDelivery, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT "+deliveryColumns+", d.body, "+hookColumns+`, account.email
		FROM hook JOIN account ON account.id = hook.account_id JOIN hook_delivery AS d ON d.hook_id = hook.id
		WHERE hook.id = ?3 AND `+isDue+" ORDER BY d.next_ms, d.number LIMIT 1", append(due.args(), hookID)...)
	found, err := collect(rows, err, func(d *DueDelivery) []any {
		return append(append(append(d.fields(), &d.Body), d.Hook.fields()...), &d.Email)
	})
	return one(found, wrap("deliveries", err))(fmt.Errorf("delivery: %w", ErrNotFound))
}

// NextDelivery returns when the next attempt after an instant is due; zero if there is none.
func (s *Store) NextDelivery(ctx context.Context, after time.Time) (next time.Time, err error) {
	err = s.reader.QueryRowContext(ctx, "SELECT min(next_ms) FROM hook_delivery WHERE next_ms > ?", after.UnixMilli()).Scan(instant{&next})
	return next, wrap("deliveries", err)
}

// WaitingDeliveries returns how many deliveries wait for an attempt.
func (s *Store) WaitingDeliveries(ctx context.Context) (n int, err error) {
	err = s.reader.QueryRowContext(ctx, "SELECT count(*) FROM hook_delivery WHERE next_ms IS NOT NULL").Scan(&n)
	return n, wrap("deliveries", err)
}

// Attempt is what an attempt to deliver has come to.
type Attempt struct {
	Number  int64 // of the delivery
	Due     time.Time
	At      time.Time
	Status  int
	Fault   string
	Outcome DeliveryOutcome
	Next    time.Time // zero: there is no other attempt
	LeftOut int       // attempts that are left out until then; they count as made
	// Disabled is why the hook is disabled because of the attempt; empty: it is not. Its other waiting deliveries fail with it.
	Disabled string
}

// RecordAttempt stores an attempt. A delivery that was asked for again while it was being sent waits for that. note is for the
// audit log if the attempt disables the hook.
func (s *Store) RecordAttempt(ctx context.Context, a Attempt, note Note) error {
	return s.writeNoted(ctx, "record attempt", note, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE hook_delivery SET attempts = attempts + 1 + ?8, tried_ms = ?1, status = ?2, fault = ?3,
				outcome = iif(next_ms <> ?5, 'waiting', ?4), next_ms = iif(next_ms <> ?5, next_ms, ?6) WHERE number = ?7`,
			a.At.UnixMilli(), a.Status, a.Fault, a.Outcome, a.Due.UnixMilli(), optionalMilliseconds(a.Next), a.Number, a.LeftOut)
		if err != nil || a.Disabled == "" {
			return err
		}
		const ofHook = " = (SELECT hook_id FROM hook_delivery WHERE number = ?)"
		_, err = tx.ExecContext(ctx, "UPDATE hook SET disabled_ms = ?, disabled_why = ? WHERE id"+ofHook, a.At.UnixMilli(), a.Disabled, a.Number)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE hook_delivery SET outcome = 'failed', fault = ?, next_ms = NULL WHERE next_ms IS NOT NULL AND hook_id"+ofHook,
			a.Disabled, a.Number)
		return err
	})
}

// Deliveries lists deliveries of a hook, newest first: at most limit of those before a number, or of all if it is 0.
func (s *Store) Deliveries(ctx context.Context, hookID, before int64, limit int) ([]Delivery, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT "+deliveryColumns+` FROM hook_delivery AS d
		WHERE hook_id = ?1 AND (?2 = 0 OR number < ?2) ORDER BY number DESC LIMIT ?3`, hookID, before, limit)
	deliveries, err := collect(rows, err, (*Delivery).fields)
	return deliveries, wrap("deliveries", err)
}

// DeliveryOf returns a delivery of a hook; ErrNotFound if the hook has none with the ID.
func (s *Store) DeliveryOf(ctx context.Context, hookID int64, id string) (Delivery, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT "+deliveryColumns+" FROM hook_delivery AS d WHERE hook_id = ? AND id = ?", hookID, id)
	found, err := collect(rows, err, (*Delivery).fields)
	return one(found, wrap("deliveries", err))(fmt.Errorf("delivery: %w", ErrNotFound))
}

// ResendDelivery makes the next attempt of a delivery of a hook due now, or a pause after the newest one. One that had ended gets
// as many attempts as a new one. The error is ErrNotFound if the hook has none with the ID.
func (s *Store) ResendDelivery(ctx context.Context, hookID int64, id string, now time.Time, pause time.Duration) error {
	return s.writeNoted(ctx, "resend", Note{}, func(tx *sql.Tx) error {
		return execOne(ctx, tx, fmt.Errorf("delivery: %w", ErrNotFound), `
			UPDATE hook_delivery SET attempts = iif(outcome = 'waiting', attempts, 0), outcome = 'waiting',
				next_ms = max(?, ifnull(tried_ms, 0) + ?) WHERE hook_id = ? AND id = ?`,
			now.UnixMilli(), pause.Milliseconds(), hookID, id)
	})
}

// PruneHooks deletes deliveries that were made before an instant, and answers for delivery dates before a date.
func (s *Store) PruneHooks(ctx context.Context, deliveriesBefore time.Time, answersBefore market.DeliveryDate) error {
	err := s.deleteAll(ctx, "delete old deliveries", deleteFrom("hook_delivery", "number"),
		"SELECT number FROM hook_delivery WHERE created_ms < ? LIMIT ?", deliveriesBefore.UnixMilli(), mostDeleted)
	if err != nil {
		return err
	}
	return s.exec(ctx, "delete old answers", "DELETE FROM hook_answer WHERE delivery_date < ?", answersBefore)
}
