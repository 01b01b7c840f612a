package auth

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"

	"golang.org/x/net/idna"

	"courant/store"
)

const maxEmailBytes = 254

// domainForm matches a domain in ASCII: labels of letters, digits and hyphens. The last label begins with a letter, so that an
// IP address does not match.
var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// typedEmail is an e-mail address as somebody typed it, without the spaces around it and with A to Z in lower case. No
// other letter is changed: letters that Unicode folds to ASCII ones belong to other addresses.
func normalizeTyped(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, strings.Trim(text, " \t\r\n"))
}

// parseEmail brings an address into the one form that a new account may have, or gives ErrEmail: A to Z in lower case,
// a local part in ASCII, and a domain in ASCII. A domain with other letters is taken in its A-label form (xn--…) as IDNA
// 2008 registers it: nothing is mapped, so a letter that only looks like another one is refused or makes another domain.
func parseEmail(text string) (string, error) {
	text = normalizeTyped(text)
	address, err := mail.ParseAddress(text)
	// What the parser takes away, such as a display name, brackets or quotes, does not belong.
	if err != nil || address.Address != text {
		return "", fmt.Errorf("%q: %w", text, ErrEmail)
	}
	at := strings.LastIndexByte(text, '@')
	domain, ok := asciiDomain(text[at+1:])
	email := text[:at+1] + domain
	if !ok || !isASCII(email) || len(email) > maxEmailBytes {
		return "", fmt.Errorf("%q: %w", text, ErrEmail)
	}
	return email, nil
}

// asciiDomain is the form in ASCII of a domain in lower case; false if it is no domain.
func asciiDomain(domain string) (ascii string, ok bool) {
	isALabel := strings.HasPrefix(domain, "xn--") || strings.Contains(domain, ".xn--")
	if isASCII(domain) && !isALabel {
		return domain, domainForm.MatchString(domain)
	}
	ascii, err := idna.Registration.ToASCII(domain)
	// An A-label that would not be made of the name it stands for is refused, whatever that name is.
	if err != nil || isASCII(domain) && ascii != domain {
		return "", false
	}
	return ascii, domainForm.MatchString(ascii)
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > '~' })
}

// User finds the account of an address that somebody typed: the one whose stored address is what was typed, byte for
// byte, or else the one that has its form. So accounts made before addresses had this form can still be named. The error
// is store.ErrNotFound if there is no such account, or ErrEmail.
func (a *Auth) User(ctx context.Context, email string) (store.Account, error) {
	typed := normalizeTyped(email)
	address, invalid := parseEmail(email)
	if invalid != nil {
		address = typed
	}
	account, err := a.store.FindAccount(ctx, typed, address)
	if invalid != nil && errors.Is(err, store.ErrNotFound) {
		return store.Account{}, invalid
	}
	return account, err
}

// newAddress is the form of an address for which an account may be made; ErrEmail, or store.ErrExists if it has one.
func (a *Auth) newAddress(ctx context.Context, email string) (string, error) {
	address, err := parseEmail(email)
	if err != nil {
		return "", err
	}
	if !strings.Contains(address, "xn--") {
		return address, nil // the store compares it with those there are
	}
	accounts, err := a.store.Accounts(ctx)
	if err != nil {
		return "", err
	}
	for _, account := range accounts {
		if formOf(account.Email) == address && account.Email != address {
			return "", fmt.Errorf("%s: %w", account.Email, store.ErrExists)
		}
	}
	return address, nil
}

// formOf is the form of a stored address as far as it has one: accounts that share it are easily taken for each other.
func formOf(email string) string {
	local, domain, _ := strings.Cut(normalizeTyped(email), "@")
	if ascii, ok := asciiDomain(domain); ok {
		domain = ascii
	}
	return local + "@" + domain
}

// Collisions lists the stored addresses that have the same form as another one, together with that one.
func (a *Auth) Collisions(ctx context.Context) ([][]string, error) {
	accounts, err := a.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	byForm := map[string][]string{}
	var found [][]string
	for _, account := range accounts {
		byForm[formOf(account.Email)] = append(byForm[formOf(account.Email)], account.Email)
	}
	for _, account := range accounts {
		if same := byForm[formOf(account.Email)]; len(same) > 1 && same[0] == account.Email {
			found = append(found, same)
		}
	}
	return found, nil
}
