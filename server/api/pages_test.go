package api_test

import (
	"net/url"
	"strings"
	"testing"

	"courant/server/api"
)

func TestTheChosenLanguageIsKept(t *testing.T) {
	t.Parallel()
	f := withUser(t, func(o *api.Options) { o.SecureCookie = true })
	choose := func(language, next string) (code int, location, cookie string) {
		w := f.send(t, "POST", "/language", strings.NewReader(url.Values{"language": {language}, "next": {next}}.Encode()), urlencoded)
		return w.Code, w.Header().Get("Location"), w.Header().Get("Set-Cookie")
	}
	code, location, cookie := choose("en", "/login?a=b")
	if code != 303 || location != "/login?a=b" || cookie != "__Host-courant_language=en; Path=/; Max-Age=31536000; HttpOnly; Secure; SameSite=Lax" {
		t.Errorf("choosing answers %d to %q with %q", code, location, cookie)
	}
	for chosen, want := range map[string]string{"en": `<html lang="en">`, "fr": `<html lang="fr">`, "de": `<html lang="en">`, "": `<html lang="en">`} {
		w := f.ask(t, "GET", "/login", header("Cookie", "courant_language="+chosen), header("Accept-Language", "en"))
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("with the cookie %q the page is not in %s", chosen, want)
		}
	}
	both := header("Cookie", "courant_language=en; __Host-courant_language=fr") // another host may have set the first
	if w := f.ask(t, "GET", "/login", both); !strings.Contains(w.Body.String(), `<html lang="fr">`) {
		t.Error("the cookie of another host chooses the language")
	}
	if code, _, cookie := choose("de", "/"); code != 400 || cookie != "" {
		t.Errorf("a third language answers %d with %q", code, cookie)
	}
	for _, foreign := range []string{"", "//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "javascript:alert(1)"} {
		if _, location, _ := choose("fr", foreign); location != "/" {
			t.Errorf("the form sends one to %q for %q", location, foreign)
		}
	}
}
