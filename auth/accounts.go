package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"courant/store"
	"courant/store/market"
)

// isPrintable reports whether text has no control or formatting characters.
func isPrintable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) })
}

func roleOf(admin bool) store.Role {
	if admin {
		return store.Administrator
	}
	return store.Member
}

// AddUser creates an account. The error is store.ErrExists if the address has one, or ErrEmail, one of the ErrPassword… or a
// *LimitedError.
func (a *Auth) AddUser(ctx context.Context, email, password string, admin bool) error {
	address, err := a.newAddress(ctx, email)
	if err != nil {
		return err
	}
	hash, err := a.hashPassword(ctx, a.ticketFor(ctx, address), address, password)
	if err != nil {
		return err
	}
	role := roleOf(admin)
	return a.store.AddAccount(ctx, a.Note(ctx, UserAdded, address, string(role)),
		store.Account{Email: address, PasswordHash: hash, Role: role, Created: a.clock.Now()})
}

// SetPassword changes an account's password and ends its sessions and links. The error is store.ErrNotFound if there is no
// such account.
func (a *Auth) SetPassword(ctx context.Context, email, password string) error {
	account, err := a.User(ctx, email)
	if err != nil {
		return err
	}
	hash, err := a.hashPassword(ctx, a.ticketFor(ctx, account.Email), account.Email, password)
	if err != nil {
		return err
	}
	return a.store.SetPassword(ctx, a.Note(ctx, PasswordSet, account.Email, ""), account.Email, hash)
}

// ChangePassword is SetPassword for the account's owner, who has to give the current password. Its errors are those of SignIn
// and SetPassword.
func (a *Auth) ChangePassword(ctx context.Context, email, current, password string) (store.Account, error) {
	account, err := a.SignIn(ctx, email, current)
	if err != nil {
		return store.Account{}, err
	}
	if err := a.SetPassword(ctx, account.Email, password); err != nil {
		return store.Account{}, err
	}
	return a.store.AccountByEmail(ctx, account.Email)
}

// Disable disables an account with its sessions and tokens, and reports whether it was the last administrator that could sign
// in. The error is store.ErrNotFound if there is no such account.
func (a *Auth) Disable(ctx context.Context, email string) (lastAdministrator bool, err error) {
	account, err := a.User(ctx, email)
	if err != nil {
		return false, err
	}
	if err := a.store.DisableAccount(ctx, a.Note(ctx, UserDisabled, account.Email, ""), account.Email, a.clock.Now()); err != nil {
		return false, err
	}
	return a.IsLastAdministrator(ctx, account)
}

// IsLastAdministrator reports whether the account is the only administrator that can sign in, as of when it was read.
func (a *Auth) IsLastAdministrator(ctx context.Context, account store.Account) (bool, error) {
	if !isActiveAdministrator(account) {
		return false, nil
	}
	accounts, err := a.store.Administrators(ctx)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(accounts, func(other store.Account) bool {
		return other.ID != account.ID && isActiveAdministrator(other)
	}), nil
}

// Enable enables a disabled account. The error is store.ErrNotFound if there is no such account.
func (a *Auth) Enable(ctx context.Context, email string) error {
	account, err := a.User(ctx, email)
	if err != nil {
		return err
	}
	return a.store.EnableAccount(ctx, a.Note(ctx, UserEnabled, account.Email, ""), account.Email)
}

func isActiveAdministrator(account store.Account) bool {
	return account.Role == store.Administrator && account.Disabled.IsZero() && account.PasswordHash != ""
}

// Subscribe gives an account a subscription from now to the end of the date until, or without end if until is zero. It
// replaces an earlier subscription; an active one to the same offer keeps its start. The error is store.ErrNotFound if there
// is no such account, ErrUnknownOffer or ErrPastDate.
func (a *Auth) Subscribe(ctx context.Context, email, offerID string, until market.DeliveryDate) error {
	if _, known := a.offer(offerID); !known {
		return a.unknownOffer(offerID)
	}
	subscription, detail := store.Subscription{Offer: offerID, Start: a.clock.Now()}, offerID
	if !until.IsZero() {
		if err := a.checkNotPast(until); err != nil {
			return err
		}
		subscription.End = until.End()
		detail += ", " + until.String()
	}
	account, err := a.User(ctx, email)
	if err != nil {
		return err
	}
	if current := account.Subscription; current.Offer == offerID && current.Active(a.clock.Now()) {
		subscription.Start = current.Start
	}
	return a.store.SetSubscription(ctx, a.Note(ctx, SubscriptionSet, account.Email, detail), account.Email, subscription)
}

// Unsubscribe removes an account's subscription. The error is store.ErrNotFound if there is no such account or it has no
// subscription.
func (a *Auth) Unsubscribe(ctx context.Context, email string) error {
	account, err := a.User(ctx, email)
	if err != nil {
		return err
	}
	return a.store.EndSubscription(ctx, a.Note(ctx, SubscriptionEnded, account.Email, account.Subscription.Offer), account.Email)
}

// HasUsers reports whether there is an account.
func (a *Auth) HasUsers(ctx context.Context) (bool, error) {
	return a.store.HasAccounts(ctx)
}

// Users returns a page of the accounts in order of their addresses. more reports whether another page follows.
func (a *Auth) Users(ctx context.Context, page Page) (users []store.Account, more bool, err error) {
	users, err = a.store.AccountsFrom(ctx, page.skip(), page.Size+1)
	users, more = cutPage(users, page)
	return users, more, err
}

// Account returns the account with this ID. The error is store.ErrNotFound if there is none.
func (a *Auth) Account(ctx context.Context, id int64) (store.Account, error) {
	return a.store.AccountByID(ctx, id)
}

func (a *Auth) offer(id string) (Offer, bool) {
	i := slices.IndexFunc(a.offers, func(offer Offer) bool { return offer.ID == id })
	if i < 0 {
		return Offer{}, false
	}
	return a.offers[i], true
}

func (a *Auth) unknownOffer(id string) error {
	if len(a.offers) == 0 {
		return fmt.Errorf("%w %q: the configuration has no offers", ErrUnknownOffer, id)
	}
	var known []string
	for _, offer := range a.offers {
		known = append(known, offer.ID)
	}
	return fmt.Errorf("%w %q: the configuration has %s", ErrUnknownOffer, id, strings.Join(known, ", "))
}

func (a *Auth) checkNotPast(date market.DeliveryDate) error {
	if date.Before(market.DeliveryDateOf(a.clock.Now())) {
		return fmt.Errorf("%s: %w", date, ErrPastDate)
	}
	return nil
}
