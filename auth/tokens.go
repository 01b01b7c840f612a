package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"courant/store"
)

const (
	tokenMark         = "crt_"
	prefixBytes       = 12
	maxTokenNameRunes = 100
	maxTokens         = 100 // of one account, that are good
	maxTokenBytes     = 128 // more than any token has
)

// prefixForm is the form of the prefix by which people name a token.
var prefixForm = regexp.MustCompile(`^crt_[A-Za-z0-9]{8}$`)

// CreateToken makes a token of an account, good to the end of the date expires, or for ever if that is no date, and for
// the datasets alone, or all if none is given. It returns it for the only time: just its hash is kept. The error is
// store.ErrNotFound if there is no such account, ErrAccountDisabled, ErrTokenName, ErrTokenCount or ErrPastDate.
func (a *Auth) CreateToken(ctx context.Context, email, name string, expires store.DeliveryDate, datasets ...store.Dataset) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n == 0 || n > maxTokenNameRunes || !utf8.ValidString(name) || !isGraphic(name) {
		return "", ErrTokenName
	}
	record := store.Token{Name: name, Created: a.clock.Now()}
	if !expires.IsZero() {
		if err := a.refusePast(expires); err != nil {
			return "", err
		}
		record.Expires = expires.End()
	}
	account, err := a.User(ctx, email)
	if err != nil {
		return "", err
	}
	if !account.Disabled.IsZero() {
		return "", fmt.Errorf("%s: %w", account.Email, ErrAccountDisabled)
	}
	if err := a.refuseMoreTokens(ctx, account.Email); err != nil {
		return "", err
	}
	for _, dataset := range store.Datasets() { // each once, in their order
		if slices.Contains(datasets, dataset) {
			record.Datasets += "," + string(dataset)
		}
	}
	record.Datasets = strings.TrimPrefix(record.Datasets, ",")
	token := tokenMark + rand.Text() + rand.Text() // 52 letters and digits, 256 bits or more
	hash := sha256.Sum256([]byte(token))
	record.Account, record.Prefix, record.Hash = account, token[:prefixBytes], hash[:]
	if err := a.store.AddToken(a.Noting(ctx, TokenCreated, account.Email, record.Prefix+" "+name), record); err != nil {
		return "", err
	}
	return token, nil
}

func (a *Auth) refuseMoreTokens(ctx context.Context, email string) error {
	tokens, err := a.store.Tokens(ctx, email)
	if err != nil {
		return err
	}
	now := a.clock.Now()
	tokens = slices.DeleteFunc(tokens, func(token store.Token) bool { return !token.Revoked.IsZero() || token.IsOver(now) })
	if len(tokens) >= maxTokens {
		return ErrTokenCount
	}
	return nil
}

// Tokens lists the tokens of one account, or of all if email is empty, the oldest first; store.ErrNotFound if there
// is no such account.
func (a *Auth) Tokens(ctx context.Context, email string) ([]store.Token, error) {
	if email == "" {
		return a.store.Tokens(ctx, "")
	}
	account, err := a.User(ctx, email)
	if err != nil {
		return nil, err
	}
	return a.store.Tokens(ctx, account.Email)
}

// RevokeToken ends the token that begins with prefix, its first 12 characters; store.ErrNotFound if none does.
func (a *Auth) RevokeToken(ctx context.Context, prefix string) error {
	if !prefixForm.MatchString(prefix) {
		return ErrTokenPrefix // what was given may be a whole token, so it is not repeated
	}
	return a.store.RevokeToken(a.Noting(ctx, TokenRevoked, prefix, ""), prefix, a.clock.Now())
}

// RevokeOwnToken ends a token of the caller's account; store.ErrNotFound if it has none of that ID.
func (a *Auth) RevokeOwnToken(ctx context.Context, identity Identity, id int64) error {
	tokens, err := a.store.Tokens(ctx, identity.Email)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(tokens, func(token store.Token) bool { return token.ID == id })
	if i < 0 {
		return fmt.Errorf("token %d: %w", id, store.ErrNotFound)
	}
	note := a.Noting(ctx, TokenRevoked, identity.Email, tokens[i].Prefix+" "+tokens[i].Name)
	return a.store.RevokeTokenOf(note, identity.AccountID, id, a.clock.Now())
}

// CheckToken finds who calls with a token. The error is ErrTokenInvalid, ErrTokenRevoked, ErrTokenExpired, in this
// order, or ErrUnauthenticated if the account is disabled.
func (a *Auth) CheckToken(ctx context.Context, token string) (Identity, error) {
	if len(token) > maxTokenBytes {
		return Identity{}, ErrTokenInvalid
	}
	d, err := a.directory(ctx)
	if err != nil {
		return Identity{}, err
	}
	hash, now := sha256.Sum256([]byte(token)), a.clock.Now()
	record, found := d.tokens[string(hash[:])]
	switch {
	case !found:
		return Identity{}, ErrTokenInvalid
	case !record.Revoked.IsZero():
		return Identity{}, ErrTokenRevoked
	case record.IsOver(now):
		return Identity{}, ErrTokenExpired
	case !record.Account.Disabled.IsZero():
		return Identity{}, ErrUnauthenticated
	}
	a.uses.token(record.ID, now)
	identity := a.identity(record.Account)
	identity.TokenID = record.ID
	if record.Datasets != "" {
		for dataset := range strings.SplitSeq(record.Datasets, ",") {
			identity.limit = append(identity.limit, store.Dataset(dataset))
		}
	}
	return identity, nil
}
