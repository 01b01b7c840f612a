package web_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"courant/auth"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// sameOfAccounts are the texts that are the same in both languages on the pages of accounts.
var sameOfAccounts = []string{
	"night script", "crt_abcdefgh", "crt_ijklmnop", "crt_qrstuvwx", "crt_SECRET", "curl -H 'Authorization: Bearer crt_SECRET' https://courant.example/api/day-ahead-prices",
	"https://courant.example/set-password?key=SECRET", "sales@courant.example", "boris@example.org", "carl@example.org", "denis@example.org", "Firefox", "reserves",
}

// accountPages renders the pages of signing in, accounts, tokens, offers and administration in each of their states.
func accountPages(r rendering, p *web.Pages, language web.Language) {
	noon := time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)
	today := market.DeliveryDateOf(noon)
	guest := web.Visit{Language: language, Path: "/login"}
	member := web.Visit{Language: language, Path: "/account", Email: "anne@example.org", EndsSoon: today.End()}
	admin := web.Visit{Language: language, Path: "/admin/users/7", Email: "boris@example.org", Admin: true}
	fault := web.Text{FR: "Cette adresse a déjà un compte.", EN: "This address already has an account."}

	r.keep("login limited")(p.Login(guest, web.Login{Email: "anne@example.org", Next: "/account", Minutes: 15, OpenSignup: true}))
	r.keep("login leading under attack")(p.Login(guest, web.Login{Next: "/" + hostile}))
	for name, view := range map[string]web.Request{
		"": {Contact: "sales@courant.example"}, " by mail": {Mail: true}, " limited": {Mail: true, Email: "anne@example.org", Minutes: 60},
		" refused": {Email: "anne@example.org", Fault: fault}, " done": {Mail: true, Done: true}, " under attack": {Mail: true, Email: hostile, Contact: hostile},
	} {
		r.keep("forgotten" + name)(p.Forgotten(guest, view))
		r.keep("signup" + name)(p.SignUp(guest, view))
	}
	for name, view := range map[string]web.SetPassword{
		"": {Secret: "SECRET", Email: "anne@example.org"}, " first": {Secret: "SECRET", First: true, Fault: fault}, " used": {}, " under attack": {Secret: hostile, Email: hostile, First: true},
	} {
		r.keep("set password" + name)(p.SetPassword(guest, view))
	}

	account := web.UserLine{ID: 7, Email: "anne@example.org", Created: noon}
	everything := web.Offer{
		ID: "everything", Name: web.Text{FR: "Tout", EN: "All of it"}, Price: web.Text{FR: "90 € par mois", EN: "€90 a month"},
		Description: web.Text{FR: "Les six jeux de données.", EN: "The six datasets."}, Contact: "sales@courant.example",
	}
	offers := []web.Offer{everything, {ID: "reserves", Datasets: []market.Dataset{market.FCRCapacity, market.AFRRCapacity}}}
	subscriptions := map[string]*web.Subscription{
		"": nil, " subscribed": web.NewSubscription("everything", offers[:1], true, time.Time{}),
		" subscribed until today":   web.NewSubscription("everything", offers[:1], true, today.End()),
		" whose subscription ended": web.NewSubscription("everything", offers[:1], false, noon.AddDate(0, 0, -1)),
		" whose offer is gone":      web.NewSubscription("reserves", offers[:1], true, time.Time{}),
	}
	for name, subscription := range subscriptions {
		account.Subscription = subscription
		r.keep("account" + name)(p.Account(member, web.Account{Email: account.Email, Subscription: subscription, Fault: fault, Sessions: []auth.SessionLine{
			{Begun: noon, Seen: noon, Origin: "192.0.2.1", Browser: "Firefox", Own: true}, {Begun: noon, Seen: noon, Origin: "192.0.2.2"},
		}}))
		r.keep("offers of an account" + name)(p.Offers(member, web.Offers{Offers: offers, Contact: "sales@courant.example", Subscription: subscription}))
		r.keep("user" + name)(p.User(admin, web.User{UserLine: account, Offers: offers, Today: today}))
	}
	account.Subscription = nil
	r.keep("account changed")(p.Account(admin, web.Account{Email: account.Email, Changed: true}))
	r.keep("account under attack")(p.Account(member, web.Account{Email: hostile, Sessions: []auth.SessionLine{{Origin: hostile, Browser: hostile}}}))
	r.keep("offers")(p.Offers(guest, web.Offers{Offers: offers, OpenSignup: true}))
	r.keep("offers, none")(p.Offers(guest, web.Offers{Contact: "sales@courant.example"}))
	r.keep("offers under attack")(p.Offers(guest, web.Offers{Contact: hostile, Offers: []web.Offer{{ID: hostile, Price: web.Text{FR: hostile, EN: hostile}, Description: web.Text{FR: hostile, EN: hostile}, Contact: hostile}}}))

	site := web.Site{PublicURL: "https://courant.example"}
	r.keep("tokens, none")(p.Tokens(member, web.Tokens{Site: site, Datasets: market.Datasets(), Today: today, Fault: fault}))
	r.keep("tokens")(p.Tokens(member, web.Tokens{Site: site, Datasets: market.Datasets(), Today: today, New: "crt_SECRET", Tokens: []web.TokenLine{
		{ID: 1, Name: "night script", Prefix: "crt_abcdefgh", Created: noon, Used: auth.TokenUsed{
			Last: noon, Today: 12, CountedDays: 3456, Days: []store.TokenUse{{Day: today, Requests: 12, Rows: 1152, Bytes: 150_544}},
		}},
		{ID: 2, Name: "night script", Prefix: "crt_ijklmnop", Created: noon, Expires: noon, Datasets: "day-ahead-prices,afrr-energy", Over: true},
		{ID: 3, Name: "night script", Prefix: "crt_qrstuvwx", Created: noon, Revoked: noon},
		{ID: 4, Name: "night script", Prefix: "crt_abcdefgh", Created: noon, Expires: today.End()},
	}}))
	r.keep("tokens under attack")(p.Tokens(member, web.Tokens{Name: hostile, New: hostile, Tokens: []web.TokenLine{{Name: hostile, Prefix: hostile, Datasets: hostile}}}))

	invited := web.UserLine{ID: 8, Email: "carl@example.org", Admin: true, Invited: true, Created: noon}
	disabled := web.UserLine{ID: 9, Email: "denis@example.org", Admin: true, Created: noon, Disabled: noon}
	r.keep("users")(p.Users(admin, web.Users{Users: []web.UserLine{account, invited, disabled}, Email: "carl@example.org", Fault: fault}))
	r.keep("users under attack")(p.Users(admin, web.Users{Users: []web.UserLine{{Email: hostile}}, Email: hostile}))
	r.keep("user invited")(p.User(admin, web.User{UserLine: invited, Link: "https://courant.example/set-password?key=SECRET", Mailed: true, Today: today}))
	r.keep("user disabled")(p.User(admin, web.User{UserLine: disabled, Fault: fault, Today: today}))
	r.keep("user, the last administrator")(p.User(admin, web.User{UserLine: invited, Last: true, Today: today}))
	r.keep("user under attack")(p.User(admin, web.User{UserLine: web.UserLine{Email: hostile}, Link: hostile, Offers: []web.Offer{{ID: hostile}}}))
	lines := []web.AuditLine{
		{At: noon, Event: "sign_in_refused", Subject: "anne@example.org", Origin: "192.0.2.1"},
		{At: noon, Event: "token_created", Actor: "boris@example.org", Subject: "anne@example.org", Detail: "night script", Origin: "192.0.2.1"},
		{At: noon, Event: "user_added", Actor: "command line", Subject: "anne@example.org", Detail: "member"},
	}
	r.keep("audit")(p.Audit(admin, web.Audit{Lines: lines, Older: 1}))
	r.keep("audit under attack")(p.Audit(admin, web.Audit{Lines: []web.AuditLine{{Event: hostile, Actor: hostile, Subject: hostile, Detail: hostile, Origin: hostile}}}))
}

// declaredEvents returns the values of the constants of type auth.Event.
func declaredEvents(t *testing.T) (events []auth.Event) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../auth/audit.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, is := node.(*ast.ValueSpec)
		if !is {
			return true
		}
		if name, is := spec.Type.(*ast.Ident); !is || name.Name != "Event" {
			return false
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, auth.Event(text))
		return false
	})
	return events
}

func TestEveryAuditEventHasATextInBothLanguages(t *testing.T) {
	events := declaredEvents(t)
	if !slices.Contains(events, auth.SignedIn) || !slices.Contains(events, auth.QuarantineRejected) {
		t.Fatalf("the constants found are %v", events)
	}
	p, err := web.New(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range events {
		for _, language := range []web.Language{web.French, web.English} {
			page, err := p.Audit(web.Visit{Language: language}, web.Audit{Lines: []web.AuditLine{{Event: string(event)}}})
			if err != nil || strings.Contains(string(page), string(event)) {
				t.Errorf("%s has no text in %s, error %v", event, language, err)
			}
		}
	}
}

func TestASubscriptionIsShownUntilItsLastDay(t *testing.T) {
	t.Parallel()
	end := market.NewDeliveryDate(2026, 10, 25).End()
	shown := web.NewSubscription("reserves", []web.Offer{{ID: "reserves"}}, true, end)
	if shown.Last != market.NewDeliveryDate(2026, 10, 25) || !shown.Active {
		t.Errorf("it is shown as %+v", shown)
	}
	if web.NewSubscription("reserves", nil, true, end).Active {
		t.Error("a subscription to what is no longer offered is active")
	}
}
