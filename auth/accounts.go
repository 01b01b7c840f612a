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

// isGraphic says that text can be shown: no control characters, none that only steer the display.
func isGraphic(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) })
}

func roleOf(admin bool) store.Role {
	if admin {
		return store.Administrator
	}
	return store.Member
}

// AddUser makes an account; store.ErrExists if the address has one.
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
	return a.store.AddAccount(a.Noting(ctx, UserAdded, address, string(role)),
		store.Account{Email: address, PasswordHash: hash, Role: role, Created: a.clock.Now()})
}

// SetPassword changes an account's password and ends its sessions and links; store.ErrNotFound if there is no such
// account.
func (a *Auth) SetPassword(ctx context.Context, email, password string) error {
	account, err := a.User(ctx, email)
	if err != nil {
		return err
	}
	hash, err := a.hashPassword(ctx, a.ticketFor(ctx, account.Email), account.Email, password)
	if err != nil {
		return err
	}
	return a.store.SetPassword(a.Noting(ctx, PasswordSet, account.Email, ""), account.Email, hash)
}

// ChangePassword is SetPassword for the person himself, who has to know the former one, as for SignIn.
func (a *Auth) ChangePassword(ctx context.Context, email, former, password string) (store.Account, error) {
	account, err := a.SignIn(ctx, email, former)
	if err != nil {
		return store.Account{}, err
	}
	if err := a.SetPassword(ctx, account.Email, password); err != nil {
		return store.Account{}, err
	}
	return a.store.AccountByEmail(ctx, account.Email)
}

// Disable shuts an account out, its sessions and tokens with it; store.ErrNotFound if there is no such account.
// It says whether this was the last administrator who could sign in.
func (a *Auth) Disable(ctx context.Context, email string) (lastAdministrator bool, err error) {
	account, err := a.User(ctx, email)
	if err != nil {
		return false, err
	}
	if err := a.store.DisableAccount(a.Noting(ctx, UserDisabled, account.Email, ""), account.Email, a.clock.Now()); err != nil {
		return false, err
	}
	return a.IsLastAdministrator(ctx, account)
}

// IsLastAdministrator says whether nobody but an account, as it was read, is an administrator who can sign in.
func (a *Auth) IsLastAdministrator(ctx context.Context, account store.Account) (bool, error) {
	if !isOpenAdministrator(account) {
		return false, nil
	}
	accounts, err := a.store.Administrators(ctx)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(accounts, func(other store.Account) bool {
		return other.ID != account.ID && isOpenAdministrator(other)
	}), nil
}

// Enable lets an account in again; store.ErrNotFound if there is no such account.
func (a *Auth) Enable(ctx context.Context, email string) error {
	account, err := a.User(ctx, email)
	if err != nil {
		return err
	}
	return a.store.EnableAccount(a.Noting(ctx, UserEnabled, account.Email, ""), account.Email)
}

func isOpenAdministrator(account store.Account) bool {
	return account.Role == store.Administrator && account.Disabled.IsZero() && account.PasswordHash != ""
}

// Subscribe gives an account a subscription from now to the end of the date until, or without end if that is no date,
// in the place of a former one. One to the same offer that is in force goes on and has a new end. The error is
// store.ErrNotFound if there is no such account, ErrUnknownOffer, or ErrPastDate.
func (a *Auth) Subscribe(ctx context.Context, email, offerID string, until market.DeliveryDate) error {
	if _, known := a.offer(offerID); !known {
		return a.unknownOffer(offerID)
	}
	subscription, detail := store.Subscription{Offer: offerID, Start: a.clock.Now()}, offerID
	if !until.IsZero() {
		if err := a.refusePast(until); err != nil {
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
	return a.store.SetSubscription(a.Noting(ctx, SubscriptionSet, account.Email, detail), account.Email, subscription)
}

// Unsubscribe takes an account's subscription away; store.ErrNotFound if there is no such account, or it has none.
func (a *Auth) Unsubscribe(ctx context.Context, email string) error {
	account, err := a.User(ctx, email)
	if err != nil {
		return err
	}
	return a.store.EndSubscription(a.Noting(ctx, SubscriptionEnded, account.Email, account.Subscription.Offer), account.Email)
}

// HasUsers says whether there is an account.
func (a *Auth) HasUsers(ctx context.Context) (bool, error) {
	return a.store.HasAccounts(ctx)
}

// Users lists a page of the accounts, by address. more says that there are others after it.
func (a *Auth) Users(ctx context.Context, page Page) (users []store.Account, more bool, err error) {
	users, err = a.store.AccountsFrom(ctx, page.skip(), page.Size+1)
	users, more = pageOf(users, page)
	return users, more, err
}

// Account finds an account by its ID; store.ErrNotFound if there is none.
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

func (a *Auth) refusePast(date market.DeliveryDate) error {
	if date.Before(market.DeliveryDateOf(a.clock.Now())) {
		return fmt.Errorf("%s: %w", date, ErrPastDate)
	}
	return nil
}
