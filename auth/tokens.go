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
	tokenStart        = "crt_"
	prefixBytes       = 12
	maxTokenNameRunes = 100
	maxTokenBytes     = 128 // no token is longer
)

// tokenPattern matches a token, and prefixPattern the prefix that identifies one in lists and commands.
var (
	tokenPattern  = regexp.MustCompile(`^crt_[A-Za-z0-9]{40,124}$`)
	prefixPattern = regexp.MustCompile(`^crt_[A-Za-z0-9]{8}$`)
)

// CreateToken creates a token of an account and returns it; only its hash is stored. The token is valid to the end of the date
// expires, or without end if that is zero. It is limited to the given datasets, or not limited if there are none. The error is
// store.ErrNotFound if there is no such account, ErrAccountDisabled, ErrTokenName, ErrTokenCount or ErrPastDate.
func (a *Auth) CreateToken(
	ctx context.Context, email, name string, expires market.DeliveryDate, datasets ...market.Dataset,
) (string, error) {
	return a.createToken(ctx, email, name, expires, store.ScopeAPI, datasets)
}

// CreateFeedsToken is CreateToken for a token that opens the price feeds and nothing else.
func (a *Auth) CreateFeedsToken(ctx context.Context, email, name string, expires market.DeliveryDate) (string, error) {
	return a.createToken(ctx, email, name, expires, store.ScopeFeeds, nil)
}

// CreateWebhooksToken is CreateToken for a token that manages webhooks and opens nothing else.
func (a *Auth) CreateWebhooksToken(ctx context.Context, email, name string, expires market.DeliveryDate) (string, error) {
	return a.createToken(ctx, email, name, expires, store.ScopeWebhooks, nil)
}

func (a *Auth) createToken(
	ctx context.Context, email, name string, expires market.DeliveryDate, scope store.Scope, datasets []market.Dataset,
) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n == 0 || n > maxTokenNameRunes || !utf8.ValidString(name) || !isPrintable(name) {
		return "", ErrTokenName
	}
	record := store.Token{Name: name, Scope: scope, Created: a.clock.Now()}
	if !expires.IsZero() {
		if err := a.checkNotPast(expires); err != nil {
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
	for _, dataset := range market.Datasets() { // each once, in the order of market.Datasets
		if slices.Contains(datasets, dataset) {
			record.Datasets += "," + string(dataset)
		}
	}
	record.Datasets = strings.TrimPrefix(record.Datasets, ",")
	token := tokenStart + rand.Text() + rand.Text() // 52 letters and digits, 256 bits or more
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

// Tokens returns a page of the tokens of one account, or of all accounts if email is empty: first the valid ones, oldest first,
// then the others, newest first. more reports whether another page follows. The error is store.ErrNotFound if there is no such
// account.
func (a *Auth) Tokens(ctx context.Context, email string, page Page) (tokens []store.Token, more bool, err error) {
	var account store.Account
	if email != "" {
		if account, err = a.User(ctx, email); err != nil {
			return nil, false, err
		}
	}
	return a.tokens(ctx, account.ID, page)
}

// OwnTokens is Tokens for the caller's account.
func (a *Auth) OwnTokens(ctx context.Context, identity Identity, page Page) (tokens []store.Token, more bool, err error) {
	return a.tokens(ctx, identity.AccountID, page)
}

func (a *Auth) tokens(ctx context.Context, accountID int64, page Page) (tokens []store.Token, more bool, err error) {
	tokens, err = a.store.Tokens(ctx, accountID, a.clock.Now(), page.skip(), page.Size+1)
	tokens, more = cutPage(tokens, page)
	return tokens, more, err
}

// RevokeToken revokes the token that begins with prefix, its first 12 characters. The error is store.ErrNotFound if there is no
// such token, or ErrTokenPrefix.
func (a *Auth) RevokeToken(ctx context.Context, prefix string) error {
	if !prefixPattern.MatchString(prefix) {
		return ErrTokenPrefix // without the input, which may be a whole token
	}
	return a.store.RevokeToken(ctx, a.Note(ctx, TokenRevoked, prefix, ""), prefix, a.clock.Now())
}

// RevokeOwnToken revokes a token of the caller's account. The error is store.ErrNotFound if the account has no token with this
// ID.
func (a *Auth) RevokeOwnToken(ctx context.Context, identity Identity, id int64) error {
	token, err := a.store.TokenOf(ctx, identity.AccountID, id)
	if err != nil {
		return err
	}
	note := a.Note(ctx, TokenRevoked, identity.Email, token.Prefix+" "+token.Name)
	return a.store.RevokeTokenOf(ctx, note, identity.AccountID, id, a.clock.Now())
}

// CheckToken returns the caller with a token. The error is ErrTokenInvalid, ErrTokenRevoked or ErrTokenExpired, checked in this
// order, or ErrUnauthenticated if the account is disabled.
func (a *Auth) CheckToken(ctx context.Context, token string) (Identity, error) {
	return a.checkToken(ctx, token, false)
}

// CheckTokenInAddress is CheckToken for a token in the address of a request, which takes feeds tokens only: programs and
// proxies write addresses to logs. The error for any other known token is ErrNotFeedsToken.
func (a *Auth) CheckTokenInAddress(ctx context.Context, token string) (Identity, error) {
	return a.checkToken(ctx, token, true)
}

func (a *Auth) checkToken(ctx context.Context, token string, inAddress bool) (Identity, error) {
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
		if record, err = a.tokenFromStore(ctx, token, hash[:], inAddress); err != nil {
			return Identity{}, err
		}
	}
	if inAddress && record.Scope != store.ScopeFeeds {
		return Identity{}, ErrNotFeedsToken
	}
	if record.IsOver(now) {
		return Identity{}, ErrTokenExpired
	}
	identity := a.tokenIdentity(record)
	identity.use = a.usage.countToken(record.ID, now)
	return identity, nil
}

// tokenFromStore looks up a token that is not in the directory: it was not valid when the directory was read, or another process
// has created it since.
func (a *Auth) tokenFromStore(ctx context.Context, token string, hash []byte, inAddress bool) (store.Token, error) {
	if !tokenPattern.MatchString(token) {
		return store.Token{}, ErrTokenInvalid
	}
	state, err := a.store.TokenState(ctx, hash)
	switch now := a.clock.Now(); {
	case errors.Is(err, store.ErrNotFound):
		return store.Token{}, ErrTokenInvalid
	case err != nil:
		return store.Token{}, err
	case inAddress && state.Scope != store.ScopeFeeds:
		return store.Token{}, ErrNotFeedsToken
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
		return store.Token{}, ErrTokenInvalid // it became invalid meanwhile
	}
	return record, nil
}
