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

const (
	deviceCookie   = "courant_device"
	deviceLifetime = 180 * 24 * time.Hour
)

// deviceForm is that of a device cookie: the number of the account, the end in Unix seconds, the device's own random name, and the
// code that proves them.
var deviceForm = regexp.MustCompile(`^(([0-9]{1,18})\.([0-9]{1,12})\.([A-Z2-7]{26}))\.([0-9a-f]{64})$`)

// RememberDevice sets the cookie that tells a browser in which an account has signed in from one that nobody knows. It lets
// nobody in: it gives an attempt for its own account a place beside those of strangers. Nothing is kept of it here.
func (a *Auth) RememberDevice(w http.ResponseWriter, r *http.Request, account store.Account) {
	device := a.device(a.deviceCookie(r), account)
	if device == "" {
		device = rand.Text()
	}
	text := fmt.Sprintf("%d.%d.%s", account.ID, a.clock.Now().Add(deviceLifetime).Unix(), device)
	http.SetCookie(w, &http.Cookie{
		Name:     a.cookieName(deviceCookie),
		Value:    text + "." + hex.EncodeToString(deviceCode(account, text)),
		Path:     "/",
		MaxAge:   int(deviceLifetime / time.Second),
		Secure:   a.secureCookie,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
}

// deviceCode proves that a cookie was made here for an account. Its key is the hash of the account's password, which is random to
// whoever does not have the database; so the cookie ends when the password is changed, and, by the epoch, when the account is
// disabled.
func deviceCode(account store.Account, text string) []byte {
	code := hmac.New(sha256.New, []byte(account.PasswordHash))
	fmt.Fprintf(code, "device\x00%d\x00%s", account.Epoch, text)
	return code.Sum(nil)
}

// device is the name of the device of a cookie, if that was made for the account as it is now; else empty.
func (a *Auth) device(cookie string, account store.Account) string {
	parts := deviceForm.FindStringSubmatch(cookie)
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

// WithDevice is the context of a request in which SignIn knows the browser that it comes from by its device cookie.
func (a *Auth) WithDevice(r *http.Request) context.Context {
	return context.WithValue(r.Context(), deviceKey{}, a.deviceCookie(r))
}

func (a *Auth) deviceCookie(r *http.Request) string {
	cookie, err := r.Cookie(a.cookieName(deviceCookie))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// deviceOf is the name of the device from which somebody signs in to the account of an address, if that is known; else empty.
func (a *Auth) deviceOf(ctx context.Context, name string) string {
	cookie, _ := ctx.Value(deviceKey{}).(string)
	parts := deviceForm.FindStringSubmatch(cookie)
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

// cookieName is the name of a cookie. Over HTTPS browsers take one with the prefix only from this very host, so that no
// neighbour under the same domain can set it.
func (a *Auth) cookieName(name string) string {
	if a.secureCookie {
		return "__Host-" + name
	}
	return name
}
