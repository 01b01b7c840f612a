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
)

// Words that the audit log has in place of an address or a name. web translates them, and the roles of store.
const (
	CommandLine = "command line" // the actor, where a command was run
	ByLink      = "by a link"    // the detail of PasswordSet, where the password was set with a link
)

const (
	// Refused sign-ins are written to the audit log up to this burst, and then one every six seconds.
	refusalNoteBurst      = 1000
	refusalNotesPerSecond = 1. / 6
	notesPerPage          = 100
	// How many entries of one event are written per day in Paris: for what one account does to itself, and for what all
	// visitors who have not signed in do.
	maxOwnNotesPerDay       = 100
	maxAnonymousNotesPerDay = 2000
)

// Actor is who does something, and from where.
type Actor struct {
	Email  string // empty: nobody who has signed in
	Origin string // the address of the client
}

type actorKey struct{}

// WithActor says who does what is done with the context. What is done without one was done by a command.
func WithActor(ctx context.Context, actor Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

func actorOf(ctx context.Context) Actor {
	if actor, known := ctx.Value(actorKey{}).(Actor); known {
		return actor
	}
	return Actor{Email: CommandLine}
}

// note is one that the actor of the context leaves now.
func (a *Auth) note(ctx context.Context, event Event, subject, detail string) store.Note {
	actor := actorOf(ctx)
	return store.Note{
		At: a.clock.Now(), Event: string(event), Actor: actor.Email, Subject: subject, Detail: detail, Origin: actor.Origin,
		MostADay: mostNotes(event, actor, subject),
	}
}

// mostNotes is how many lines the audit log takes of an event on one day: few enough where anybody can make as many as
// he likes, of himself or without an account, and all of what is done to others.
func mostNotes(event Event, actor Actor, subject string) int {
	switch {
	case actor.Email != "" && actor.Email == subject:
		return maxOwnNotesPerDay
	case event == SignInRefused || event == SignInLimited || event == PasswordLinkMade && actor.Email == "":
		return maxAnonymousNotesPerDay
	}
	return 0
}

// Noting has a change of the store that is made with the context leave a note of it: subject is to whom or what,
// detail may be empty. Neither may hold a secret.
func (a *Auth) Noting(ctx context.Context, event Event, subject, detail string) context.Context {
	return store.Noting(ctx, a.note(ctx, event, subject, detail))
}

// Notes lists the audit log by pages, the newest line first: those older than the line with the ID before, or, if that
// is 0, the newest. more says that there are older ones.
func (a *Auth) Notes(ctx context.Context, before int64) (notes []store.Note, more bool, err error) {
	notes, err = a.store.Notes(ctx, before, notesPerPage+1)
	if len(notes) > notesPerPage {
		return notes[:notesPerPage], true, err
	}
	return notes, false, err
}

// noteRefusal leaves a note of a sign-in that was refused. Of a flood of them only the first thousand are kept, and
// then ten a minute, so that nobody can fill the disk. What was typed is kept only if it is an address: it may be a
// password in the wrong field.
func (a *Auth) noteRefusal(ctx context.Context, event Event, address string) error {
	if !a.refusalNotes.AllowN(a.clock.Now(), 1) {
		return nil
	}
	return a.store.AddNote(ctx, a.note(ctx, event, address, ""))
}
