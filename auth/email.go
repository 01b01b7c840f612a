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

// domainPattern matches a domain in ASCII: labels of letters, digits and hyphens. The last label begins with a letter, so that an
// IP address does not match.
var domainPattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// normalizeTyped returns an e-mail address as typed, but without surrounding spaces and with A to Z in lower case. Other
// letters are left alone: those that Unicode folds to ASCII letters belong to other addresses.
func normalizeTyped(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, strings.Trim(text, " \t\r\n"))
}

// parseEmail returns the canonical form of an address, the only one that a new account may have, or ErrEmail: A to Z in lower
// case, local part and domain in ASCII. A domain with other letters is converted to its A-labels (xn--…) by the registration
// rules of IDNA 2008. These map nothing, so a letter that looks like another one is refused or gives a different domain.
func parseEmail(text string) (string, error) {
	text = normalizeTyped(text)
	address, err := mail.ParseAddress(text)
	// The parser accepts and removes display names, brackets and quotes; they are refused here.
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

// asciiDomain returns the ASCII form of a domain in lower case, and false if it is not a valid domain.
func asciiDomain(domain string) (ascii string, ok bool) {
	isALabel := strings.HasPrefix(domain, "xn--") || strings.Contains(domain, ".xn--")
	if isASCII(domain) && !isALabel {
		return domain, domainPattern.MatchString(domain)
	}
	ascii, err := idna.Registration.ToASCII(domain)
	// An A-label that does not round-trip is refused.
	if err != nil || isASCII(domain) && ascii != domain {
		return "", false
	}
	return ascii, domainPattern.MatchString(ascii)
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > '~' })
}

// User returns the account with an address as typed: the one whose stored address equals what was typed, byte for byte, or
// else its canonical form. So accounts created before addresses were made canonical can still be found. The error is
// store.ErrNotFound if there is no such account, or ErrEmail.
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

// newAddress returns the canonical form of an address for a new account. The error is ErrEmail, or store.ErrExists if there is
// an account with that form.
func (a *Auth) newAddress(ctx context.Context, email string) (string, error) {
	address, err := parseEmail(email)
	if err != nil {
		return "", err
	}
	if !strings.Contains(address, "xn--") {
		return address, nil // the store refuses an address that exists
	}
	accounts, err := a.store.Accounts(ctx)
	if err != nil {
		return "", err
	}
	for _, account := range accounts {
		if canonicalForm(account.Email) == address && account.Email != address {
			return "", fmt.Errorf("%s: %w", account.Email, store.ErrExists)
		}
	}
	return address, nil
}

// canonicalForm returns the canonical form of a stored address, as far as it has one. Accounts that share it are easily taken
// for each other.
func canonicalForm(email string) string {
	local, domain, _ := strings.Cut(normalizeTyped(email), "@")
	if ascii, ok := asciiDomain(domain); ok {
		domain = ascii
	}
	return local + "@" + domain
}

// Collisions returns the groups of stored addresses with the same canonical form.
func (a *Auth) Collisions(ctx context.Context) ([][]string, error) {
	accounts, err := a.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	byCanonical := map[string][]string{}
	var found [][]string
	for _, account := range accounts {
		byCanonical[canonicalForm(account.Email)] = append(byCanonical[canonicalForm(account.Email)], account.Email)
	}
	for _, account := range accounts {
		if same := byCanonical[canonicalForm(account.Email)]; len(same) > 1 && same[0] == account.Email {
			found = append(found, same)
		}
	}
	return found, nil
}
