package auth

import "net/http"

// The names of all cookies, as they are over plain HTTP; CookieName gives those over HTTPS.
const (
	sessionCookie = "courant_session"
	deviceCookie  = "courant_device"
	// LanguageCookie is the cookie of the language that a visitor chose.
	LanguageCookie = "courant_language"
)

// hostPrefix makes browsers accept a cookie only from this host and only over HTTPS.
const hostPrefix = "__Host-"

// CookieName returns the name under which a cookie is set: with the __Host- prefix if browsers use HTTPS.
func CookieName(name string, https bool) string {
	if https {
		return hostPrefix + name
	}
	return name
}

// Cookie returns the value of a cookie that a request carries, and whether it has the __Host- prefix. A cookie without the
// prefix may have been set by another host of the same domain, so it counts only if the other one is missing.
func Cookie(r *http.Request, name string) (value string, isHostOnly bool) {
	if cookie, err := r.Cookie(hostPrefix + name); err == nil {
		return cookie.Value, true
	}
	if cookie, err := r.Cookie(name); err == nil {
		return cookie.Value, false
	}
	return "", false
}

// SessionCookie returns the name of the session cookie.
func (a *Auth) SessionCookie() string { return CookieName(sessionCookie, a.secureCookie) }
