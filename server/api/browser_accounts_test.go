package api_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"courant/server/api"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// fill replaces the content of a field.
func (b *browser) fill(id, text string) {
	b.t.Helper()
	b.do(chromedp.SetValue(chromedp.ID(id), text))
}

// press sends a form by the button with the selector.
func (b *browser) press(selector string) {
	b.t.Helper()
	b.follow(chromedp.Click(chromedp.CSS(selector)))
}

// status makes a request as a program does, and returns the status and the code of the answer.
func (b *browser) status(path, token string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+path, nil)
	must(b.t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	must(b.t, err)
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	must(b.t, err)
	for _, code := range []string{"subscription_required", "token_revoked", "token_invalid"} {
		if strings.Contains(string(said), `"code":"`+code+`"`) {
			return code
		}
	}
	return answer.Status
}

func TestInABrowserAWrongPasswordIsReportedAndTooManyMustWait(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.refresh(t)
	must(t, f.auth.AddUser(t.Context(), email, password, true))
	b := openBrowser(t, f)
	b.speak("en")
	b.open("/login")
	wrong := func(limited bool) {
		t.Helper()
		b.fill("email", email)
		b.fill("password", "not the password")
		b.press("main button")
		if alert := b.text(`document.querySelector('[role=alert]').textContent`); alert == "" || strings.Contains(alert, "Too many") != limited {
			t.Fatalf("the page says %q", alert)
		}
	}
	wrong(false)
	// The next nine are sent by the page without being shown.
	last := run(b, chromedp.Evaluate[string](`(async () => {
		let page = '';
		for (let i = 0; i < 9; i++) {
			page = await (await fetch('/login', {method: 'POST', body: new URLSearchParams({email: '`+email+`', password: 'not the password'})})).text();
			if (page.includes('Too many')) return 'limited after ' + (i + 2);
		}
		return page.includes('role="alert"') ? 'refused' : page;
	})()`, chromedp.EvalAwaitPromise))
	if last != "refused" {
		t.Fatalf("before the limit: %s", last)
	}
	wrong(true)
	b.fill("email", email)
	b.fill("password", password)
	b.press("main button")
	b.is("location.pathname", "/login")
	f.clock.Advance(15*time.Minute + time.Second)
	b.fill("email", email)
	b.fill("password", password)
	b.press("main button")
	b.is("location.pathname", "/")
}

func TestInABrowserAColleagueIsInvitedSubscribedAndMakesAToken(t *testing.T) {
	f := open(t, func(o *api.Options) {
		o.Offers = []web.Offer{{ID: "everything", Name: web.Text{FR: "Tout", EN: "Everything"}}}
	})
	f.commit(t, marketOn(market.DeliveryDateOf(noon)))
	f.refresh(t)
	admin := f.session(t, f.account(t, "boris@example.org", store.Administrator))
	b := openBrowser(t, f)
	b.as(admin)
	b.speak("en")

	b.open("/admin")
	b.fill("email", "anne@example.org")
	b.press(`form[action="/admin/users"] button`)
	b.is(heading, "anne@example.org")
	link := b.text(`document.getElementById('new-link').textContent`)
	user := b.text("location.pathname")
	b.fill("until", market.DeliveryDateOf(noon).String())
	b.press(`form[action$="/subscription"] button`)
	b.calm("administration")

	// The colleague, in her own browser.
	own := openBrowser(t, f)
	own.speak("en")
	own.open(link[strings.Index(link, "/set-password"):])
	own.fill("new-password", "several words of her own")
	own.press("main button")
	own.is("location.pathname", "/")
	own.open("/docs/tokens")
	own.fill("name", "battery")
	own.press(`form[action="/docs/tokens"] button`)
	token := own.text(`document.getElementById('new-token').textContent`)
	if curl := own.text(`document.getElementById('new-curl').textContent`); !strings.Contains(curl, token) {
		t.Errorf("the curl is %q", curl)
	}
	own.open("/docs/tokens")
	own.is(`document.body.textContent.includes('`+token+`')`, "false")
	own.calm("/docs/tokens")

	// Her subscription ends to the second, at the end of the day in Paris.
	end := market.DeliveryDateOf(noon).End()
	locked := `document.querySelectorAll('table').length === 0`
	f.clock.Advance(end.Sub(f.clock.Now()) - time.Second)
	if got := own.status("/api/fcr-capacity", token); got != "200 OK" {
		t.Errorf("a second before its end: %s", got)
	}
	own.open("/capacity")
	own.is(locked, "false")
	f.clock.Advance(time.Second)
	if got := own.status("/api/fcr-capacity", token); got != "subscription_required" {
		t.Errorf("at its end: %s", got)
	}
	own.open("/capacity")
	own.is(locked, "true")
	if got := own.status("/api/day-ahead-prices", token); got != "200 OK" {
		t.Errorf("prices, which need none: %s", got)
	}

	// Given again without end, and ended.
	b.open(user)
	b.text(`document.getElementById('until').value = ''`)
	b.press(`form[action$="/subscription"] button`)
	if got := own.status("/api/fcr-capacity", token); got != "200 OK" {
		t.Errorf("given again: %s", got)
	}
	b.is(askedFirst(`form[action$="/unsubscribe"]`), "true")
	b.press(`form[action$="/unsubscribe"] button`)
	if got := own.status("/api/fcr-capacity", token); got != "subscription_required" {
		t.Errorf("ended by the administrator: %s", got)
	}

	own.open("/docs/tokens")
	own.is(askedFirst(`form[action="/docs/tokens/revoke"]`), "true")
	own.press(`form[action="/docs/tokens/revoke"] button`)
	if got := own.status("/api/day-ahead-prices", token); got != "token_revoked" {
		t.Errorf("a revoked token: %s", got)
	}
	own.calm("the colleague's pages")
	b.calm("the administrator's pages")
}

// askedFirst is a script that clicks on what shows the form, whose button cannot be pressed before. It returns whether the form
// was hidden.
func askedFirst(form string) string {
	return `(() => {
		const form = document.querySelector('` + form + `'), hidden = !form.checkVisibility();
		form.closest('details').querySelector('summary').click();
		return hidden;
	})()`
}
