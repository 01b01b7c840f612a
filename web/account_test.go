package web_test

import (
	"strings"
	"testing"
	"time"

	"courant/auth"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// sameOfAccounts are what stands in both languages on the pages of accounts.
var sameOfAccounts = []string{
	"night script", "crt_abcdefgh", "crt_ijklmnop", "crt_qrstuvwx", "crt_SECRET", "curl -H 'Authorization: Bearer crt_SECRET' https://courant.example/api/day-ahead-prices",
	"https://courant.example/set-password?key=SECRET", "sales@courant.example", "boris@example.org", "carl@example.org", "denis@example.org", "Firefox", "reserves",
}

// accountPages renders the pages of signing in, of accounts, tokens and offers and of administration, in every state
// that they can be in.
func accountPages(r rendering, p *web.Pages, language web.Language) {
	noon := time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)
	today := market.DeliveryDateOf(noon)
	guest := web.Visit{Language: language, Path: "/login"}
	member := web.Visit{Language: language, Path: "/account", Email: "anne@example.org", EndsSoon: today.End()}
	admin := web.Visit{Language: language, Path: "/admin/users/7", Email: "boris@example.org", Admin: true}
	fault := web.Text{FR: "Cette adresse a déjà un compte.", EN: "This address has an account already."}

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

	account := store.Account{ID: 7, Email: "anne@example.org", PasswordHash: "hash", Role: store.Member, Created: noon}
	everything := web.Offer{
		ID: "everything", Name: web.Text{FR: "Tout", EN: "All of it"}, Price: web.Text{FR: "90 € par mois", EN: "€90 a month"},
		Description: web.Text{FR: "Les six jeux de données.", EN: "The six datasets."}, Contact: "sales@courant.example",
	}
	offers := []web.Offer{everything, {ID: "reserves", Datasets: []market.Dataset{market.FCRCapacity, market.AFRRCapacity}}}
	subscriptions := map[string]store.Subscription{
		"": {}, " subscribed": {Offer: "everything", Start: noon}, " subscribed until today": {Offer: "everything", Start: noon, End: today.End()},
		" whose subscription ended": {Offer: "everything", Start: noon.AddDate(0, -1, 0), End: noon.AddDate(0, 0, -1)}, " whose offer is gone": {Offer: "reserves", Start: noon},
	}
	for name, subscription := range subscriptions {
		account.Subscription = subscription
		shown := web.SubscriptionOf(account, offers[:1], noon)
		r.keep("account" + name)(p.Account(member, web.Account{Account: account, Subscription: shown, Fault: fault, Sessions: []auth.SessionLine{
			{Begun: noon, Seen: noon, Origin: "192.0.2.1", Browser: "Firefox", Own: true}, {Begun: noon, Seen: noon, Origin: "192.0.2.2"},
		}}))
		r.keep("offers of an account" + name)(p.Offers(member, web.Offers{Offers: offers, Contact: "sales@courant.example", Subscription: shown}))
		r.keep("user" + name)(p.User(admin, web.User{UserLine: web.UserLine{Account: account, Subscription: shown}, Offers: offers, Today: today}))
	}
	r.keep("account changed")(p.Account(admin, web.Account{Account: account, Changed: true}))
	r.keep("account under attack")(p.Account(member, web.Account{Account: store.Account{Email: hostile}, Sessions: []auth.SessionLine{{Origin: hostile, Browser: hostile}}}))
	r.keep("offers")(p.Offers(guest, web.Offers{Offers: offers, OpenSignup: true}))
	r.keep("offers, none")(p.Offers(guest, web.Offers{Contact: "sales@courant.example"}))
	r.keep("offers under attack")(p.Offers(guest, web.Offers{Contact: hostile, Offers: []web.Offer{{ID: hostile, Price: web.Text{FR: hostile, EN: hostile}, Description: web.Text{FR: hostile, EN: hostile}, Contact: hostile}}}))

	site := web.Site{PublicURL: "https://courant.example"}
	r.keep("tokens, none")(p.Tokens(member, web.Tokens{Site: site, Datasets: market.Datasets(), Today: today, Fault: fault}))
	r.keep("tokens")(p.Tokens(member, web.Tokens{Site: site, Datasets: market.Datasets(), Today: today, New: "crt_SECRET", Tokens: []web.TokenLine{
		{Token: store.Token{ID: 1, Name: "night script", Prefix: "crt_abcdefgh", Created: noon}, Used: auth.TokenUsed{Last: noon, Today: 12, CountedDays: 3456}},
		{Token: store.Token{ID: 2, Name: "night script", Prefix: "crt_ijklmnop", Created: noon, Expires: noon, Datasets: "day-ahead-prices,afrr-energy"}, Over: true},
		{Token: store.Token{ID: 3, Name: "night script", Prefix: "crt_qrstuvwx", Created: noon, Revoked: noon}},
		{Token: store.Token{ID: 4, Name: "night script", Prefix: "crt_abcdefgh", Created: noon, Expires: today.End()}},
	}}))
	r.keep("tokens under attack")(p.Tokens(member, web.Tokens{Name: hostile, New: hostile, Tokens: []web.TokenLine{{Token: store.Token{Name: hostile, Prefix: hostile, Datasets: hostile}}}}))

	invited := store.Account{ID: 8, Email: "carl@example.org", Role: store.Administrator, Created: noon}
	disabled := store.Account{ID: 9, Email: "denis@example.org", PasswordHash: "hash", Role: store.Administrator, Created: noon, Disabled: noon}
	r.keep("users")(p.Users(admin, web.Users{Users: []web.UserLine{{Account: account}, {Account: invited}, {Account: disabled}}, Email: "carl@example.org", Fault: fault}))
	r.keep("users under attack")(p.Users(admin, web.Users{Users: []web.UserLine{{Account: store.Account{Email: hostile}}}, Email: hostile}))
	r.keep("user invited")(p.User(admin, web.User{UserLine: web.UserLine{Account: invited}, Link: "https://courant.example/set-password?key=SECRET", Mailed: true, Today: today}))
	r.keep("user disabled")(p.User(admin, web.User{UserLine: web.UserLine{Account: disabled}, Fault: fault, Today: today}))
	r.keep("user, the last administrator")(p.User(admin, web.User{UserLine: web.UserLine{Account: invited}, Last: true, Today: today}))
	r.keep("user under attack")(p.User(admin, web.User{UserLine: web.UserLine{Account: store.Account{Email: hostile}}, Link: hostile, Offers: []web.Offer{{ID: hostile}}}))
	notes := []store.Note{
		{ID: 3, At: noon, Event: "sign_in_refused", Subject: "anne@example.org", Origin: "192.0.2.1"},
		{ID: 2, At: noon, Event: "token_created", Actor: "boris@example.org", Subject: "anne@example.org", Detail: "night script", Origin: "192.0.2.1"},
		{ID: 1, At: noon, Event: "user_added", Actor: "command line", Subject: "anne@example.org", Detail: "member"},
	}
	r.keep("audit")(p.Audit(admin, web.Audit{Notes: notes, Older: 1}))
	r.keep("audit under attack")(p.Audit(admin, web.Audit{Notes: []store.Note{{Event: hostile, Actor: hostile, Subject: hostile, Detail: hostile, Origin: hostile}}}))
}

func TestEveryEventOfTheAuditLogHasItsWords(t *testing.T) {
	t.Parallel()
	p, err := web.New(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range auth.Events() {
		page, err := p.Audit(web.Visit{Language: web.French}, web.Audit{Notes: []store.Note{{Event: string(event)}}})
		if err != nil || strings.Contains(string(page), string(event)) {
			t.Errorf("%s has no words, error %v", event, err)
		}
	}
}

func TestASubscriptionIsShownUntilItsLastDay(t *testing.T) {
	t.Parallel()
	end := market.NewDeliveryDate(2026, 10, 25).End()
	shown := web.SubscriptionOf(store.Account{Subscription: store.Subscription{Offer: "reserves", End: end}}, []web.Offer{{ID: "reserves"}}, end.Add(-time.Second))
	if shown.Last != market.NewDeliveryDate(2026, 10, 25) || !shown.Active {
		t.Errorf("in its last second it is shown as %+v", shown)
	}
	shown = web.SubscriptionOf(store.Account{Subscription: store.Subscription{Offer: "reserves", End: end}}, []web.Offer{{ID: "reserves"}}, end)
	if shown.Active {
		t.Errorf("at its end it is shown as %+v", shown)
	}
}
