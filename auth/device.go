package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"courant/store"
)

const deviceLifetime = 180 * 24 * time.Hour

// devicePattern matches a device cookie: the account's number, its expiry in Unix seconds, a random name of the device, and the
// HMAC that proves them.
var devicePattern = regexp.MustCompile(`^(([0-9]{1,18})\.([0-9]{1,12})\.([A-Z2-7]{26}))\.([0-9a-f]{64})$`)

// RememberDevice sets a cookie that marks the browser as one in which the account has signed in before. The cookie is no
// credential: it only gives later sign-in attempts for that account their own place in the queue. The server stores nothing.
func (a *Auth) RememberDevice(w http.ResponseWriter, r *http.Request, account store.Account) {
	device := a.device(a.deviceCookie(r), account)
	if device == "" {
		device = rand.Text()
	}
	text := fmt.Sprintf("%d.%d.%s", account.ID, a.clock.Now().Add(deviceLifetime).Unix(), device)
	http.SetCookie(w, &http.Cookie{
		Name:     CookieName(deviceCookie, a.secureCookie),
		Value:    text + "." + hex.EncodeToString(deviceCode(account, text)),
		Path:     "/",
		MaxAge:   int(deviceLifetime / time.Second),
		Secure:   a.secureCookie,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
}

// deviceCode returns the HMAC that proves that this server issued a cookie for an account. Its key is the hash of the account's
// password, which cannot be guessed without the database. So the cookie ends when the password is changed and, because of the
// epoch, when the account is disabled.
func deviceCode(account store.Account, text string) []byte {
	code := hmac.New(sha256.New, []byte(account.PasswordHash))
	fmt.Fprintf(code, "device\x00%d\x00%s", account.Epoch, text)
	return code.Sum(nil)
}

// device returns the name of the device in a cookie. It is empty unless the cookie was made for the account, has not expired,
// and the account's password is still the same.
func (a *Auth) device(cookie string, account store.Account) string {
	parts := devicePattern.FindStringSubmatch(cookie)
	if parts == nil || account.PasswordHash == "" || !account.Disabled.IsZero() {
		return ""
	}
	code, err := hex.DecodeString(parts[5])
	if err != nil || !hmac.Equal(code, deviceCode(account, parts[1])) || parts[2] != strconv.FormatInt(account.ID, 10) {
		return ""
	}
	if end, err := strconv.ParseInt(parts[3], 10, 64); err != nil || a.clock.Now().Unix() >= end {
		return ""
	}
	return parts[4]
}

type deviceKey struct{}

// WithDevice returns the request's context with its device cookie, for SignIn.
func (a *Auth) WithDevice(r *http.Request) context.Context {
	return context.WithValue(r.Context(), deviceKey{}, a.deviceCookie(r))
}

func (a *Auth) deviceCookie(r *http.Request) string {
	cookie, err := r.Cookie(CookieName(deviceCookie, a.secureCookie))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// deviceOf returns the name of the device in the context's cookie if it is a known device of the account with this address;
// else empty.
func (a *Auth) deviceOf(ctx context.Context, name string) string {
	cookie, _ := ctx.Value(deviceKey{}).(string)
	parts := devicePattern.FindStringSubmatch(cookie)
	if parts == nil {
		return ""
	}
	id, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return ""
	}
	account, err := a.Account(ctx, id)
	if err != nil {
		return ""
	}
	if form, err := parseEmail(account.Email); account.Email != name && (err != nil || form != name) {
		return ""
	}
	return a.device(cookie, account)
}
