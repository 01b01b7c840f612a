package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"courant/auth"
	"courant/server/api"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

var english = header("Accept-Language", "en")

// signIn signs an account in and returns a change that adds its session to a request.
func (f *fixture) signIn(t *testing.T, email, password string, dress ...func(*http.Request)) func(*http.Request) {
	t.Helper()
	w := f.submit(t, "POST", "/login", url.Values{"email": {email}, "password": {password}}, dress...)
	if w.Code != 303 {
		t.Fatalf("signing in answers %d", w.Code)
	}
	return carrying(w.Result().Cookies()[0])
}

// follow requests the Location of an answer.
func (f *fixture) follow(t *testing.T, w *httptest.ResponseRecorder, dress ...func(*http.Request)) string {
	t.Helper()
	if w.Code != 303 {
		t.Fatalf("%d instead of 303: %s", w.Code, w.Body)
	}
	page := f.ask(t, "GET", w.Header().Get("Location"), dress...)
	if page.Code != 200 {
		t.Fatalf("%s answers %d", w.Header().Get("Location"), page.Code)
	}
	return page.Body.String()
}

func TestSigningInLeadsToTheOwnPageThatWasAskedFor(t *testing.T) {
	t.Parallel()
	f := withUser(t)
	for next, want := range map[string]string{
		"": "/", "/account": "/account", "/prix?from=2026-07-14": "/prix?from=2026-07-14", "//evil.example": "/", "https://evil.example": "/", `/\evil.example`: "/",
		"/\t/evil.example": "/", "javascript:alert(1)": "/",
	} {
		w := f.submit(t, "POST", "/login", url.Values{"email": {email}, "password": {password}, "next": {next}})
		if w.Code != 303 || w.Header().Get("Location") != want {
			t.Errorf("next %q: %d to %q, want %q", next, w.Code, w.Header().Get("Location"), want)
		}
		page := f.ask(t, "GET", "/login?"+url.Values{"next": {next}}.Encode()).Body.String()
		if strings.Contains(page, "evil.example") || strings.Contains(page, "javascript:") {
			t.Errorf("next %q stands on the page", next)
		}
	}
	if w := f.ask(t, "GET", "/prix?from=2026-07-14"); w.Header().Get("Location") != "/login?next=%2Fprix%3Ffrom%3D2026-07-14" {
		t.Errorf("a guest is sent to %q", w.Header().Get("Location"))
	}
}

func TestTooManySignInsMustWait(t *testing.T) {
	t.Parallel()
	for _, name := range []string{email, "nobody@example.org"} {
		f := withUser(t)
		var refused string
		for range 10 {
			w := f.submit(t, "POST", "/login", url.Values{"email": {name}, "password": {"not the password"}}, english)
			if w.Code != 401 || w.Header().Get("Retry-After") != "" {
				t.Fatalf("%s: %d", name, w.Code)
			}
			refused = strings.ReplaceAll(w.Body.String(), name, "ADDRESS")
		}
		f.clock.Advance(time.Minute + time.Second)
		for _, password := range []string{"not the password", password} {
			w := f.submit(t, "POST", "/login", url.Values{"email": {name}, "password": {password}}, english)
			if w.Code != 429 || w.Header().Get("Retry-After") != "839" || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s: %d, %v", name, w.Code, w.Header())
			}
			if !strings.Contains(w.Body.String(), "Too many attempts. Try again in 14 min.") || w.Header().Get("Set-Cookie") != "" {
				t.Errorf("%s: the page is %s", name, w.Body)
			}
		}
		other := withUser(t).submit(t, "POST", "/login", url.Values{"email": {"else@example.org"}, "password": {"x"}}, english)
		if strings.ReplaceAll(other.Body.String(), "else@example.org", "ADDRESS") != refused {
			t.Errorf("%s is refused in other words than an address that nobody has", name)
		}
		f.clock.Advance(14 * time.Minute)
		if w := f.submit(t, "POST", "/login", url.Values{"email": {name}, "password": {password}}); (w.Code == 303) != (name == email) {
			t.Errorf("%s, after the wait: %d", name, w.Code)
		}
	}
}

func TestATokenIsShownOnceWithACurlThatWorks(t *testing.T) {
	t.Parallel()
	f := withUser(t, func(o *api.Options) { o.PublicURL = "https://courant.example" })
	f.refresh(t)
	anne, elsewhere := f.signIn(t, email, password), f.signIn(t, email, password)
	w := f.submit(t, "POST", "/docs/tokens", url.Values{"name": {"night <script>"}, "expires": {"2026-07-20"}, "dataset": {"day-ahead-prices"}}, anne, english)
	if w.Header().Get("Location") != "/docs/tokens" || strings.Contains(w.Body.String(), "crt_") {
		t.Errorf("leads to %q: %s", w.Header().Get("Location"), w.Body)
	}
	if other := f.ask(t, "GET", "/docs/tokens", elsewhere).Body.String(); strings.Contains(other, "Bearer crt_") {
		t.Error("another session sees the token")
	}
	f.ask(t, "HEAD", "/docs/tokens", anne)
	page := f.follow(t, w, anne, english)
	match := regexp.MustCompile(`curl -H 'Authorization: Bearer (crt_[A-Za-z0-9]{40,})' https://courant\.example(/api/day-ahead-prices)</pre>`).FindStringSubmatch(page)
	if match == nil {
		t.Fatalf("no command in the page: %s", page)
	}
	again := f.ask(t, "GET", "/docs/tokens", anne, english).Body.String()
	if strings.Contains(again, match[1]) || !strings.Contains(again, match[1][:12]) || !strings.Contains(again, "night &lt;script&gt;") || !strings.Contains(again, "20\u00a0Jul\u00a02026") {
		t.Errorf("afterwards the page is %s", again)
	}
	w = f.ask(t, "GET", match[2], bearer(match[1]))
	if w.Code != 200 {
		t.Errorf("the token reads %d", w.Code)
	}
	if w := f.ask(t, "GET", "/api/afrr-energy", bearer(match[1])); w.Code != 403 {
		t.Errorf("another dataset reads %d", w.Code)
	}
	used := f.ask(t, "GET", "/docs/tokens", anne, english).Body.String()
	if !strings.Contains(used, "<td>15\u00a0Jul\u00a02026 14:00</td>\n<td class=\"number\">2</td>\n<td class=\"number\">2</td>") {
		t.Errorf("its use is not shown: %s", used)
	}
	id := regexp.MustCompile(`name="id" value="(\d+)"`).FindStringSubmatch(used)
	if w := f.submit(t, "POST", "/docs/tokens/revoke", url.Values{"id": {id[1]}}, anne); w.Code != 303 {
		t.Errorf("revoking answers %d", w.Code)
	}
	if p := problemOf(t, f.ask(t, "GET", match[2], bearer(match[1]))); p.Code != "token_revoked" {
		t.Errorf("after revoking: %s", p.Code)
	}
}

func TestAFeedsTokenIsMadeAndShownAsSuchInThePage(t *testing.T) {
	t.Parallel()
	f := withUser(t, func(o *api.Options) { o.PublicURL = "https://courant.example" })
	f.refresh(t)
	anne := f.signIn(t, email, password)
	form := url.Values{"name": {"evcc"}, "feeds": {"1"}}
	page := f.follow(t, f.submit(t, "POST", "/docs/tokens", form, anne, english), anne, english)
	match := regexp.MustCompile(`curl &#39;https://courant\.example(/api/feeds/evcc\?token=crt_[A-Za-z0-9]{40,})&#39;</pre>|curl 'https://courant\.example(/api/feeds/evcc\?token=crt_[A-Za-z0-9]{40,})'</pre>`).FindStringSubmatch(page)
	if match == nil || !strings.Contains(page, "<td>price feeds only</td>") {
		t.Fatalf("no command or no mark in the page: %s", page)
	}
	if w := f.ask(t, "GET", match[1]+match[2]); w.Code != 200 {
		t.Errorf("the command reads %d %s", w.Code, w.Body)
	}
	form.Set("dataset", "day-ahead-prices")
	if w := f.submit(t, "POST", "/docs/tokens", form, anne, english); w.Code != 400 || !strings.Contains(w.Body.String(), "opens nothing else") {
		t.Errorf("with a dataset: %d %s", w.Code, w.Body)
	}
}

func TestATokenThatIsNotShownInTimeIsForgotten(t *testing.T) {
	t.Parallel()
	f := withUser(t)
	anne := f.signIn(t, email, password)
	w := f.submit(t, "POST", "/docs/tokens", url.Values{"name": {"night"}}, anne)
	f.clock.Advance(5 * time.Minute)
	if page := f.follow(t, w, anne); strings.Contains(page, "Bearer crt_") {
		t.Error("the token is still shown")
	}
}

func TestAnswersHaveTheRemainingLimitOfTheToken(t *testing.T) {
	t.Parallel()
	f := withUser(t, func(o *api.Options) { o.RateLimitPerMinute = 2 })
	account, err := f.auth.User(t.Context(), email)
	must(t, err)
	token := bearer(f.token(t, account, nil))
	for _, step := range []struct {
		path          string
		status        int
		left, advance string
	}{
		{"/api/day-ahead-prices", 200, `"token";r=1;t=30`, "0s"}, {"/api/fcr-capacity", 401, `"token";r=0;t=60`, "0s"},
		{"/api/day-ahead-prices", 429, `"token";r=0;t=60`, "0s"}, {"/api/status", 429, `"token";r=0;t=31`, "29s"},
		{"/api/day-ahead-prices", 200, `"token";r=0;t=60`, "1s"}, {"/api/day-ahead-prices", 200, `"token";r=1;t=30`, "5m"},
	} {
		wait, err := time.ParseDuration(step.advance)
		must(t, err)
		f.clock.Advance(wait)
		w := f.ask(t, "GET", step.path, token)
		if w.Code != step.status || w.Header().Get("RateLimit") != step.left || (w.Header().Get("Retry-After") != "") != (step.status == 429) {
			t.Errorf("%s after %s: %d, %v; want %d and %s", step.path, step.advance, w.Code, w.Header(), step.status, step.left)
		}
	}
	if w := f.ask(t, "GET", "/api/day-ahead-prices", f.signIn(t, email, password)); w.Header().Get("RateLimit") != "" {
		t.Error("a session has a limit")
	}
}

// invited invites an account as an administrator and returns its link.
func (f *fixture) invited(t *testing.T, admin func(*http.Request), fields url.Values) (userPage, link string) {
	t.Helper()
	w := f.submit(t, "POST", "/admin/users", fields, admin, english)
	match := regexp.MustCompile(`id="new-link">(/set-password\?key=[A-Z2-7]+)<`).FindStringSubmatch(f.follow(t, w, admin, english))
	if match == nil {
		t.Fatal("no link is shown")
	}
	return w.Header().Get("Location"), match[1]
}

func TestAPersonIsInvitedAndSubscribed(t *testing.T) {
	t.Parallel()
	f := withUser(t)
	f.refresh(t)
	must(t, f.auth.AddUser(t.Context(), "boris@example.org", password, true))
	admin := f.signIn(t, "boris@example.org", password)
	page, link := f.invited(t, admin, url.Values{"email": {" Carl@example.org"}, "role": {"member"}})
	if again := f.ask(t, "GET", page, admin).Body.String(); strings.Contains(again, "key=") {
		t.Error("the link is shown twice")
	}
	for range 2 {
		w := f.ask(t, "GET", link, english)
		if w.Code != 200 || !strings.Contains(w.Body.String(), `value="carl@example.org" readonly`) {
			t.Errorf("the link opens %d: %s", w.Code, w.Body)
		}
	}
	key := strings.TrimPrefix(link, "/set-password?key=")
	w := f.submit(t, "POST", "/set-password", url.Values{"key": {key}, "password": {"short"}}, english)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "at least 12 characters") || strings.Contains(w.Body.String(), `value="short"`) {
		t.Errorf("a short password: %d: %s", w.Code, w.Body)
	}
	w = f.submit(t, "POST", "/set-password", url.Values{"key": {key}, "email": {"boris@example.org"}, "password": {"another good phrase"}})
	if w.Code != 303 || len(w.Result().Cookies()) != 2 {
		t.Fatalf("a good password: %d", w.Code)
	}
	carl := carrying(w.Result().Cookies()[0])
	if w := f.ask(t, "GET", link); w.Code != 404 {
		t.Errorf("a used link answers %d", w.Code)
	}

	check := func(when string, want int) {
		t.Helper()
		if w := f.ask(t, "GET", "/api/afrr-energy", carl); w.Code != want {
			t.Errorf("%s: %d, want %d", when, w.Code, want)
		}
	}
	check("invited", 401)
	form := strings.Replace(page, "/administration/comptes", "/admin/users", 1)
	for _, until := range []string{"2026-07-16", "2026-07-28"} {
		w := f.submit(t, "POST", form+"/subscription", url.Values{"offer": {"afrr"}, "until": {until}}, admin)
		f.follow(t, w, admin)
		check("subscribed until "+until, 200)
	}
	if page := f.ask(t, "GET", "/account", carl, english).Body.String(); !strings.Contains(page, "Your subscription ends at the end of 28\u00a0July\u00a02026") {
		t.Errorf("no warning two weeks before: %s", page)
	}
	f.submit(t, "POST", form+"/unsubscribe", nil, admin)
	check("unsubscribed", 401)
	f.submit(t, "POST", form+"/disable", nil, admin)
	if p := problemOf(t, f.ask(t, "GET", "/api/day-ahead-prices", carl)); p.Code != "unauthenticated" {
		t.Errorf("disabled: %s", p.Code)
	}

	audit := f.ask(t, "GET", "/admin/audit", admin, english).Body.String()
	for _, line := range []string{"Invited", "Password set", "Subscription assigned", "Subscription ended", "Account disabled", "afrr, 2026-07-28", "192.0.2.1"} {
		if !strings.Contains(audit, line) {
			t.Errorf("the audit log lacks %q", line)
		}
	}
	if strings.Contains(audit, key) || strings.Contains(audit, password) {
		t.Error("the audit log holds a secret")
	}
	if log := f.log.String(); strings.Contains(log, key) || strings.Contains(log, "carl@") {
		t.Errorf("the log is %s", log)
	}
}

func TestAPasswordIsChangedAndOtherSessionsEnd(t *testing.T) {
	t.Parallel()
	f := withUser(t)
	f.refresh(t)
	here, there := f.signIn(t, email, password), f.signIn(t, email, password)
	w := f.submit(t, "POST", "/account/password", url.Values{"former": {password}, "password": {"Password1234!"}}, here, english)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "too common") {
		t.Errorf("a common one: %d", w.Code)
	}
	w = f.submit(t, "POST", "/account/password", url.Values{"former": {password}, "password": {"another good phrase"}}, here, english)
	if w.Header().Get("Location") != "/account?changed" {
		t.Fatalf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	now := carrying(w.Result().Cookies()[0])
	if page := f.follow(t, w, now, english); !strings.Contains(page, "The password was changed") {
		t.Errorf("the page is %s", page)
	}
	for name, test := range map[string]struct {
		dress func(*http.Request)
		want  int
	}{"the former session": {here, 401}, "the other one": {there, 401}, "the new one": {now, 200}} {
		if w := f.ask(t, "GET", "/api/day-ahead-prices", test.dress); w.Code != test.want {
			t.Errorf("%s reads %d, want %d", name, w.Code, test.want)
		}
	}
}

func TestTheOtherSessionsAreListedAndEnded(t *testing.T) {
	f := withUser(t)
	f.refresh(t)
	there := f.signIn(t, email, password)
	here := f.signIn(t, email, password)
	f.ask(t, "GET", "/api/day-ahead-prices", there)
	page := f.ask(t, "GET", "/account", here, english).Body.String()
	if strings.Count(page, "<td>192.0.2.1</td>") != 2 || strings.Count(page, "current session") != 1 {
		t.Errorf("the sessions are %s", page)
	}
	page = f.follow(t, f.submit(t, "POST", "/account/sessions", nil, here, english), here, english)
	if strings.Count(page, "<td>192.0.2.1</td>") != 1 {
		t.Errorf("afterwards the sessions are %s", page)
	}
	if w := f.ask(t, "GET", "/api/day-ahead-prices", there); w.Code != 401 {
		t.Errorf("the other session reads %d", w.Code)
	}
}

// letterbox is a Mailer that stores the mails.
type letterbox struct {
	mu    sync.Mutex
	mails []string
	fails error
}

func (l *letterbox) Send(_ context.Context, to, subject, text string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mails = append(l.mails, to+"\n"+subject+"\n"+text)
	return l.fails
}

// withMail is a server that sends mails; read waits for them, after which it sends no more.
func withMail(t *testing.T, box *letterbox, changes ...func(*api.Options)) (f *fixture, read func() []string) {
	t.Helper()
	f = withUser(t, append(changes, func(o *api.Options) { o.Mail, o.PublicURL = box, "https://courant.example" })...)
	return f, func() []string { f.Settle(); return box.mails }
}

func TestAForgottenPasswordIsReplacedByALinkThatIsMailed(t *testing.T) {
	t.Parallel()
	box := &letterbox{}
	f, read := withMail(t, box)
	must(t, f.auth.AddUser(t.Context(), "gone@example.org", password, true))
	_, err := f.auth.Disable(t.Context(), "gone@example.org")
	must(t, err)
	answers := map[string]string{}
	for _, name := range []string{email, "nobody@example.org", "gone@example.org", "no address", ""} {
		w := f.submit(t, "POST", "/forgotten", url.Values{"email": {name}}, english)
		if w.Code != 200 {
			t.Errorf("%s: %d", name, w.Code)
		}
		answers[w.Body.String()] = name
	}
	if len(answers) != 1 {
		t.Error("the answer tells whether there is an account")
	}
	mails := read()
	if len(mails) != 1 || !strings.HasPrefix(mails[0], email+"\nCourant: choose a password\n") {
		t.Fatalf("mails: %q", mails)
	}
	key := regexp.MustCompile(`https://courant\.example/set-password\?key=([A-Z2-7]+)`).FindStringSubmatch(mails[0])[1]
	if w := f.submit(t, "POST", "/set-password", url.Values{"key": {key}, "password": {"another good phrase"}}); w.Code != 303 {
		t.Errorf("setting the password answers %d", w.Code)
	}
	f.signIn(t, email, "another good phrase")
}

func TestLinksAreAskedForThreeTimesAnHourAndTwentyFromOneOrigin(t *testing.T) {
	t.Parallel()
	box := &letterbox{}
	f, read := withMail(t, box)
	for i := range 20 {
		if w := f.submit(t, "POST", "/forgotten", url.Values{"email": {email}}); w.Code != 200 {
			t.Fatalf("request %d: %d", i+1, w.Code)
		}
	}
	w := f.submit(t, "POST", "/forgotten", url.Values{"email": {"nobody@example.org"}}, english)
	if w.Code != 429 || w.Header().Get("Retry-After") != "3600" || !strings.Contains(w.Body.String(), "Try again in 60 min.") {
		t.Errorf("one more: %d, %v", w.Code, w.Header())
	}
	if mails := read(); len(mails) != 3 {
		t.Errorf("%d mails, want 3", len(mails))
	}
}

func TestTheLogOfAFailedMailDoesNotContainItsAddress(t *testing.T) {
	t.Parallel()
	box := &letterbox{fails: errors.New("mail: the server is away")}
	f, read := withMail(t, box)
	f.submit(t, "POST", "/forgotten", url.Values{"email": {email}})
	read()
	if log := f.log.String(); !strings.Contains(log, "the server is away") || strings.Contains(log, email) || strings.Contains(log, "key=") {
		t.Errorf("the log is %s", log)
	}
}

func TestAnInvitationIsMailedWhereMailsAreSent(t *testing.T) {
	t.Parallel()
	box := &letterbox{}
	f, read := withMail(t, box)
	must(t, f.auth.AddUser(t.Context(), "boris@example.org", password, true))
	admin := f.signIn(t, "boris@example.org", password)
	w := f.submit(t, "POST", "/admin/users", url.Values{"email": {"carl@example.org"}, "role": {"administrator"}}, admin, english)
	page := f.follow(t, w, admin, english)
	if !strings.Contains(page, "An e-mail was sent.") || !strings.Contains(page, "https://courant.example/set-password?key=") {
		t.Errorf("the page is %s", page)
	}
	if mails := read(); len(mails) != 1 || !strings.HasPrefix(mails[0], "carl@example.org\n") {
		t.Errorf("mails: %q", mails)
	}
}

func TestVisitorsMakeAccountsWhereThatIsOpen(t *testing.T) {
	t.Parallel()
	open := func(o *api.Options) { o.OpenSignup = true }
	t.Run("without mail", func(t *testing.T) {
		f := withUser(t, open)
		if page := f.ask(t, "GET", "/login", english).Body.String(); !strings.Contains(page, `href="/signup"`) {
			t.Error("the sign-in page does not lead there")
		}
		w := f.submit(t, "POST", "/signup", url.Values{"email": {"carl@example.org"}, "password": {"another good phrase"}, "role": {"administrator"}})
		if w.Code != 303 {
			t.Fatalf("signing up answers %d: %s", w.Code, w.Body)
		}
		if w := f.ask(t, "GET", "/admin", carrying(w.Result().Cookies()[0])); w.Code != 403 {
			t.Errorf("the new account opens administration with %d", w.Code)
		}
		w = f.submit(t, "POST", "/signup", url.Values{"email": {email}, "password": {"another good phrase"}}, english)
		if w.Code != 400 || w.Header().Get("Set-Cookie") != "" || !strings.Contains(w.Body.String(), "already has an account") {
			t.Errorf("again: %d", w.Code)
		}
		f.signIn(t, email, password)
	})
	t.Run("with mail", func(t *testing.T) {
		box := &letterbox{}
		f, read := withMail(t, box, open)
		var answers []string
		for _, name := range []string{"carl@example.org", email, "no address"} {
			w := f.submit(t, "POST", "/signup", url.Values{"email": {name}, "password": {"not taken from here"}})
			answers = append(answers, fmt.Sprint(w.Code, w.Body))
		}
		if answers[0] != answers[1] || answers[1] != answers[2] {
			t.Error("the answer tells whether there was an account")
		}
		mails := read()
		to := map[string]bool{}
		for _, mail := range mails {
			address, _, _ := strings.Cut(mail, "\n")
			to[address] = true
		}
		if len(mails) != 2 || !to["carl@example.org"] || !to[email] {
			t.Errorf("mails: %q", mails)
		}
	})
}

func TestTheOffersAndHowToAskForOne(t *testing.T) {
	t.Parallel()
	none := open(t, func(o *api.Options) { o.Contact = "boris@courant.example" })
	page := none.ask(t, "GET", "/offers", english).Body.String()
	if !strings.Contains(page, "This instance is private") || !strings.Contains(page, "boris@courant.example") {
		t.Errorf("without offers the page is %s", page)
	}
	f := withUser(t, func(o *api.Options) {
		o.Offers = []web.Offer{
			{ID: "everything", Name: web.Text{FR: "Tout", EN: "Everything"}, Price: web.Text{FR: "90 € par mois", EN: "€90 a month"}, Contact: "sales@courant.example"},
			{ID: "afrr", Datasets: []market.Dataset{market.AFRREnergy}},
		}
	})
	page = f.ask(t, "GET", "/offers", english).Body.String()
	for _, want := range []string{"<h2>Everything</h2>", "€90 a month", "sales@courant.example", "<h2>afrr</h2>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s: %s", want, page)
		}
	}
	must(t, f.auth.Subscribe(t.Context(), email, "everything", market.DeliveryDateOf(noon)))
	if page := f.ask(t, "GET", "/offers", english, f.signIn(t, email, password)).Body.String(); !strings.Contains(page, "Everything, until 15\u00a0July\u00a02026") {
		t.Errorf("a subscriber sees %s", page)
	}
}

func TestTheFirstLinkMakesTheAdministratorOnAPage(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.refresh(t)
	key, err := f.auth.FirstLink(t.Context())
	must(t, err)
	if page := f.ask(t, "GET", api.LinkAddress("", key), english).Body.String(); !strings.Contains(page, "First administrator") {
		t.Errorf("the page is %s", page)
	}
	w := f.submit(t, "POST", "/set-password", url.Values{"key": {key}, "email": {"no address"}, "password": {password}}, english)
	if w.Code != 400 || !strings.Contains(w.Body.String(), `value="no address"`) {
		t.Errorf("no address: %d", w.Code)
	}
	w = f.submit(t, "POST", "/set-password", url.Values{"key": {key}, "email": {email}, "password": {password}})
	if w.Code != 303 {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	if w := f.ask(t, "GET", "/admin", carrying(w.Result().Cookies()[0])); w.Code != 200 {
		t.Errorf("the first administrator opens administration with %d", w.Code)
	}
	if secret, err := f.auth.FirstLink(t.Context()); err != nil || secret != "" {
		t.Errorf("another first link: %q, %v", secret, err)
	}
}

func TestALinkIsMailedToTheStoredAddressAlone(t *testing.T) {
	for typed, want := range map[string]string{
		"mik@wiki.example": "mik@wiki.example", " MIK@Wiki.Example ": "mik@wiki.example",
		"mi\u212A@wiki.example": "", "mik@wi\u212Ai.example": "", "mik@w\u0130ki.example": "", "mik@wiki.example\u200b": "", "\uff4dik@wiki.example": "",
		"\u00a0mik@wiki.example": "", "mik@wiki.example\u3000": "", // no spaces of ASCII, as at sign-in
	} {
		for _, path := range []string{"/forgotten", "/signup"} {
			box := &letterbox{}
			f, read := withMail(t, box, func(o *api.Options) { o.OpenSignup = true })
			must(t, f.store.AddAccount(t.Context(), store.Note{}, store.Account{Email: "mik@wiki.example", PasswordHash: "none", Role: store.Member, Created: noon}))
			if w := f.submit(t, "POST", path, url.Values{"email": {typed}}); w.Code != 200 {
				t.Errorf("%s for %q: %d", path, typed, w.Code)
			}
			mails := read()
			if want == "" && len(mails) > 0 || want != "" && (len(mails) != 1 || !strings.HasPrefix(mails[0], want+"\n")) {
				t.Errorf("%s for %q mails %q, want one to %q", path, typed, mails, want)
			}
		}
	}
}

func TestALinkThatIsShownDoesNotTakeItsHostFromTheRequest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		publicURL, link string
		hint            bool
	}{
		{"", ">/set-password?key=", true},
		{"https://courant.example", ">https://courant.example/set-password?key=", false},
	} {
		f := withUser(t, func(o *api.Options) { o.PublicURL = test.publicURL })
		must(t, f.auth.AddUser(t.Context(), "boris@example.org", password, true))
		admin := f.signIn(t, "boris@example.org", password)
		evil := func(r *http.Request) { r.Host = "evil.example" }
		for _, form := range []struct {
			path   string
			fields url.Values
		}{
			{"/admin/users", url.Values{"email": {"carl@example.org"}}}, {"/admin/users/1/link", nil},
		} {
			w := f.submit(t, "POST", form.path, form.fields, admin, evil)
			for language, hint := range map[string]string{"en": "With server.public_url, links are complete.", "fr": "Avec server.public_url, les liens seront complets."} {
				page := f.follow(t, w, admin, evil, header("Accept-Language", language))
				if strings.Contains(page, "evil.example") {
					t.Errorf("%s: the page names the host of the request", form.path)
				}
				if language == "en" && !strings.Contains(page, test.link) || language == "en" && strings.Contains(page, hint) != test.hint {
					t.Errorf("%s with %q: the page is %s", form.path, test.publicURL, page)
				}
				w = f.submit(t, "POST", "/admin/users/1/link", nil, admin, evil)
			}
			if page := f.follow(t, w, admin, evil, header("Accept-Language", "fr")); strings.Contains(page, "Avec server.public_url") != test.hint {
				t.Errorf("%s with %q: the page in French is %s", form.path, test.publicURL, page)
			}
		}
	}
}

func TestListsAreShownByPages(t *testing.T) {
	f := withUser(t)
	must(t, f.auth.AddUser(t.Context(), "boris@example.org", password, true))
	admin := f.signIn(t, "boris@example.org", password)
	boris, err := f.auth.User(t.Context(), "boris@example.org")
	must(t, err)
	for i := range 120 {
		f.account(t, fmt.Sprintf("z%03d@example.org", i), store.Member)
		token := f.token(t, boris, nil)
		if i < 90 {
			must(t, f.auth.RevokeToken(t.Context(), token[:12]))
		}
		if i < 30 {
			f.session(t, boris)
		}
	}
	for _, test := range []struct {
		path, row    string
		first, last  int
		french, next string
	}{
		{"/admin", `/admin/users/`, 100, 22, "/administration", "/admin?page=2"},
		{"/docs/tokens", "<td><code>crt_", 100, 20, "/docs/jetons", "/docs/tokens?page=2"},
		{"/account", "<td class=\"wrap\">", 25, 6, "/compte", "/account?page=2"},
	} {
		page := f.ask(t, "GET", test.path, admin, english).Body.String()
		if got := strings.Count(page, test.row); got != test.first || !strings.Contains(page, `<a href="`+test.next+`">Next page</a>`) || strings.Contains(page, "Previous page") {
			t.Errorf("%s shows %d lines, want %d: %s", test.path, got, test.first, page)
		}
		page = f.ask(t, "GET", test.next, admin, english).Body.String()
		if got := strings.Count(page, test.row); got != test.last || !strings.Contains(page, `<a href="`+test.path+`">Previous page</a>`) || strings.Contains(page, "Next page") {
			t.Errorf("%s shows %d lines, want %d", test.next, got, test.last)
		}
		if w := f.ask(t, "GET", test.french+"?page=2", admin); !strings.Contains(w.Body.String(), `<a href="`+test.french+`">Page précédente</a>`) {
			t.Errorf("%s does not lead back", test.french)
		}
		for _, number := range []string{"0", "-1", "two", "99999999999999999999"} {
			if w := f.ask(t, "GET", test.path+"?page="+number, admin); w.Code != 400 {
				t.Errorf("%s, page %s: %d", test.path, number, w.Code)
			}
		}
		if w := f.ask(t, "GET", test.path+"?page=9223372036854775807", admin); w.Code != 200 {
			t.Errorf("%s, a page far away: %d", test.path, w.Code)
		}
	}
}

func TestOverTLSTheSessionIsInACookieOfThisHostAlone(t *testing.T) {
	t.Parallel()
	f := withUser(t, func(o *api.Options) {
		o.PublicURL = "https://courant.example"
		o.Auth = auth.New(auth.Options{Store: o.Store, Clock: o.Clock, SecureCookie: true})
	})
	w := f.submit(t, "POST", "/login", url.Values{"email": {email}, "password": {password}})
	cookie := w.Result().Cookies()[0]
	if cookie.Name != "__Host-courant_session" || !cookie.Secure || cookie.Path != "/" || cookie.Domain != "" {
		t.Errorf("the cookie is %s", cookie)
	}
	for _, dress := range [][]func(*http.Request){
		{carrying(cookie)},
		{header("Cookie", "courant_session=planted"), carrying(cookie)},
	} {
		if w := f.ask(t, "GET", "/api/day-ahead-prices", dress...); w.Code == 401 {
			t.Errorf("the session reads %d", w.Code)
		}
	}
	plain := header("Cookie", "courant_session="+cookie.Value)
	if w := f.ask(t, "GET", "/api/day-ahead-prices", plain); w.Code != 401 {
		t.Errorf("under the other name it reads %d", w.Code)
	}
	if api := f.ask(t, "GET", "/api/openapi.json").Body.String(); !strings.Contains(api, `"name": "__Host-courant_session"`) {
		t.Error("the description names another cookie")
	}
	if api := open(t).ask(t, "GET", "/api/openapi.json").Body.String(); !strings.Contains(api, `"name": "courant_session"`) {
		t.Error("without TLS the description names another cookie")
	}
}
