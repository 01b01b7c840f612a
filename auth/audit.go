package auth

import (
	"context"

	"courant/store"
)

// Event is the kind of an entry of the audit log. The constants below are the only list of them; web has a text for each.
type Event string

const (
	SignedIn           Event = "signed_in"
	SignInRefused      Event = "sign_in_refused"
	SignInLimited      Event = "sign_in_limited"
	SignedOut          Event = "signed_out"
	OtherSessionsEnded Event = "other_sessions_ended"
	UserAdded          Event = "user_added"
	UserInvited        Event = "user_invited"
	UserDisabled       Event = "user_disabled"
	UserEnabled        Event = "user_enabled"
	PasswordSet        Event = "password_set"
	PasswordLinkMade   Event = "password_link_made"
	TokenCreated       Event = "token_created"
	TokenRevoked       Event = "token_revoked"
	SubscriptionSet    Event = "subscription_set"
	SubscriptionEnded  Event = "subscription_ended"
	QuarantineAccepted Event = "quarantine_accepted"
	QuarantineRejected Event = "quarantine_rejected"
	HookAdded          Event = "hook_added" // a webhook or a mail alert
	HookDeleted        Event = "hook_deleted"
	HookEnabled        Event = "hook_enabled"
	HookDisabled       Event = "hook_disabled"
	HookSecretReplaced Event = "hook_secret_replaced"
)

// Words that the audit log has in place of an address or a name. web translates them.
const (
	CommandLine = "command line" // the actor, where a command was run
	Itself      = "Courant"      // the actor, where Courant acted by itself
	ByLink      = "by a link"    // the detail of PasswordSet, where the password was set with a link

	AdministratorRole = string(store.Administrator)
	MemberRole        = string(store.Member)
)

const (
	// Refused sign-ins are written to the audit log up to this burst, and then one every six seconds.
	refusalNoteBurst      = 1000
	refusalNotesPerSecond = 1. / 6
	notesPerPage          = 100
	// How many entries of one event are written per day in Paris: for what one account does to itself, and for what all
	// accounts, or all visitors who have not signed in, make happen.
	maxOwnNotesPerDay    = 100
	maxCommonNotesPerDay = 2000
)

// Actor is who makes a change, and from where.
type Actor struct {
	Email  string // empty: not signed in
	Origin string // the client's network address; empty: this machine
}

type actorKey struct{}

// WithActor returns a context whose changes are attributed to the actor in the audit log. Without an actor, changes are
// attributed to the command line.
func WithActor(ctx context.Context, actor Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

func actorOf(ctx context.Context) Actor {
	if actor, known := ctx.Value(actorKey{}).(Actor); known {
		return actor
	}
	return Actor{Email: CommandLine}
}

// Note returns the audit note of an event that the actor of ctx causes now, for the write that makes the change. subject is
// the account, token or date concerned; detail may be empty. Neither may hold a secret.
func (a *Auth) Note(ctx context.Context, event Event, subject, detail string) store.Note {
	actor := actorOf(ctx)
	return store.Note{
		At: a.clock.Now(), Event: string(event), Actor: actor.Email, Subject: subject, Detail: detail, Origin: actor.Origin,
		MostADay: maxNotesPerDay(event, actor, subject),
	}
}

// maxNotesPerDay returns how many entries of an event the audit log takes per day; 0: all. Events that a caller can repeat at
// will, on its own account or without one, are limited; changes to other accounts are not.
func maxNotesPerDay(event Event, actor Actor, subject string) int {
	switch {
	case actor.Email != "" && actor.Email == subject:
		return maxOwnNotesPerDay
	case event == SignInRefused || event == SignInLimited || event == PasswordLinkMade && actor.Email == "" || event == HookDisabled:
		return maxCommonNotesPerDay
	}
	return 0
}

// Notes returns one page of the audit log, newest entry first: the entries older than the one with the ID before, or the
// newest if before is 0. more reports whether there are older ones.
func (a *Auth) Notes(ctx context.Context, before int64) (notes []store.Note, more bool, err error) {
	notes, err = a.store.Notes(ctx, before, notesPerPage+1)
	if len(notes) > notesPerPage {
		return notes[:notesPerPage], true, err
	}
	return notes, false, err
}

// noteRefusal writes a refused sign-in to the audit log. Of a flood only the first thousand are written, and then ten a
// minute, so that it cannot fill the disk. address is empty unless a valid address was typed: anything else may be a
// password in the wrong field.
func (a *Auth) noteRefusal(ctx context.Context, event Event, address string) error {
	if !a.refusalNotes.AllowN(a.clock.Now(), 1) {
		return nil
	}
	return a.store.AddNote(ctx, a.Note(ctx, event, address, ""))
}
