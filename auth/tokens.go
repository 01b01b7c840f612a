package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"courant/store"
	"courant/store/market"
)

const (
	tokenMark         = "crt_"
	prefixBytes       = 12
	maxTokenNameRunes = 100
	maxTokenBytes     = 128 // more than any token has
)

// tokenForm is that of all tokens, and prefixForm that of the prefix by which people name one.
var (
	tokenForm  = regexp.MustCompile(`^crt_[A-Za-z0-9]{40,124}$`)
	prefixForm = regexp.MustCompile(`^crt_[A-Za-z0-9]{8}$`)
)

// CreateToken makes a token of an account, good to the end of the date expires, or for ever if that is no date, and for
// the datasets alone, or all if none is given. It returns it for the only time: just its hash is kept. The error is
// store.ErrNotFound if there is no such account, ErrAccountDisabled, ErrTokenName, ErrTokenCount or ErrPastDate.
func (a *Auth) CreateToken(ctx context.Context, email, name string, expires market.DeliveryDate, datasets ...market.Dataset) (string, error) {
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
	for _, dataset := range market.Datasets() { // each once, in their order
		if slices.Contains(datasets, dataset) {
			record.Datasets += "," + string(dataset)
		}
	}
	record.Datasets = strings.TrimPrefix(record.Datasets, ",")
	token := tokenMark + rand.Text() + rand.Text() // 52 letters and digits, 256 bits or more
	hash := sha256.Sum256([]byte(token))
	record.Account, record.Prefix, record.Hash = account, token[:prefixBytes], hash[:]
	err = a.store.AddToken(ctx, a.Note(ctx, TokenCreated, account.Email, record.Prefix+" "+name), record)
	if errors.Is(err, store.ErrFull) {
		return "", ErrTokenCount
	}
	if err != nil {
		return "", err
	}
	return token, nil
}

// Tokens lists a page of the tokens of one account, or of all if email is empty: first those that are good, the oldest
// first, then the others, the newest first. more says that there are others after it; the error is store.ErrNotFound if
// there is no such account.
func (a *Auth) Tokens(ctx context.Context, email string, page Page) (tokens []store.Token, more bool, err error) {
	var account store.Account
	if email != "" {
		if account, err = a.User(ctx, email); err != nil {
			return nil, false, err
		}
	}
	return a.tokens(ctx, account.ID, page)
}

// OwnTokens is Tokens for those of the caller's account.
func (a *Auth) OwnTokens(ctx context.Context, identity Identity, page Page) (tokens []store.Token, more bool, err error) {
	return a.tokens(ctx, identity.AccountID, page)
}

func (a *Auth) tokens(ctx context.Context, accountID int64, page Page) (tokens []store.Token, more bool, err error) {
	tokens, err = a.store.Tokens(ctx, accountID, a.clock.Now(), page.skip(), page.Size+1)
	tokens, more = pageOf(tokens, page)
	return tokens, more, err
}

// RevokeToken ends the token that begins with prefix, its first 12 characters; store.ErrNotFound if none does.
func (a *Auth) RevokeToken(ctx context.Context, prefix string) error {
	if !prefixForm.MatchString(prefix) {
		return ErrTokenPrefix // what was given may be a whole token, so it is not repeated
	}
	return a.store.RevokeToken(ctx, a.Note(ctx, TokenRevoked, prefix, ""), prefix, a.clock.Now())
}

// RevokeOwnToken ends a token of the caller's account; store.ErrNotFound if it has none of that ID.
func (a *Auth) RevokeOwnToken(ctx context.Context, identity Identity, id int64) error {
	token, err := a.store.TokenOf(ctx, identity.AccountID, id)
	if err != nil {
		return err
	}
	note := a.Note(ctx, TokenRevoked, identity.Email, token.Prefix+" "+token.Name)
	return a.store.RevokeTokenOf(ctx, note, identity.AccountID, id, a.clock.Now())
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
	if !found {
		if record, err = a.tokenBeside(ctx, token, hash[:]); err != nil {
			return Identity{}, err
		}
	}
	if record.IsOver(now) {
		return Identity{}, ErrTokenExpired
	}
	a.uses.token(record.ID, now)
	identity := a.identity(record.Account)
	identity.TokenID = record.ID
	if record.Datasets != "" {
		identity.Admin = false // it is for data alone
		for dataset := range strings.SplitSeq(record.Datasets, ",") {
			identity.limit = append(identity.limit, market.Dataset(dataset))
		}
	}
	return identity, nil
}

// tokenBeside finds out about a token that the directory does not hold: it was not good when that was read, or another
// process has made it since.
func (a *Auth) tokenBeside(ctx context.Context, token string, hash []byte) (store.Token, error) {
	if !tokenForm.MatchString(token) {
		return store.Token{}, ErrTokenInvalid
	}
	state, err := a.store.TokenState(ctx, hash)
	switch now := a.clock.Now(); {
	case errors.Is(err, store.ErrNotFound):
		return store.Token{}, ErrTokenInvalid
	case err != nil:
		return store.Token{}, err
	case !state.Revoked.IsZero():
		return store.Token{}, ErrTokenRevoked
	case !state.Expires.IsZero() && !now.Before(state.Expires):
		return store.Token{}, ErrTokenExpired
	case state.Disabled:
		return store.Token{}, ErrUnauthenticated
	}
	if err := a.Refresh(ctx); err != nil {
		return store.Token{}, err
	}
	record, found := a.current.Load().tokens[string(hash)]
	if !found {
		return store.Token{}, ErrTokenInvalid // it ended meanwhile
	}
	return record, nil
}
