package api_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"courant/server/api"
	"courant/server/hooks"
	"courant/store"
)

func TestAnAlertIsMadeSeenTestedAndEndedInThePages(t *testing.T) {
	t.Parallel()
	box := &letterbox{}
	f := withUser(t, func(o *api.Options) { o.Mail, o.PublicURL = box, "https://courant.example" })
	must(t, f.store.SetSubscription(t.Context(), store.Note{}, email, store.Subscription{Offer: "everything", Start: f.clock.Now()}))
	anne := f.signIn(t, email, password)
	if page := f.ask(t, "GET", "/alertes", anne).Body.String(); !strings.Contains(page, "Vous n’avez pas encore d’alerte") || !strings.Contains(page, "Capacité aFRR, hausse") {
		t.Fatalf("%s", page)
	}
	for name, test := range map[string]struct {
		form url.Values
		want []string // on the page of the alert
	}{
		"negative by mail":     {url.Values{"event": {"negative"}, "series": {"day-ahead-prices.price_eur_mwh"}, "by": {"mail"}}, []string{"Negative price: Day-ahead prices", "anne@example.org"}},
		"below by mail":        {url.Values{"event": {"below"}, "series": {"imbalance-prices.positive_price_eur_mwh"}, "threshold": {"−12,5"}, "by": {"mail"}}, []string{"Price below −12.5 €/MWh: Imbalance prices"}},
		"above by a webhook":   {url.Values{"event": {"above"}, "series": {"afrr-capacity.price.UPWARD"}, "threshold": {"1 000.5"}, "by": {"webhook"}, "url": {"https://receiver.example.org/x"}}, []string{"Price above 1,000.5 €/MW/h: aFRR capacity, upward", "whsec_", "https://receiver.example.org/x"}},
		"complete by mail":     {url.Values{"event": {"complete"}, "series": {"fcr-capacity.price"}, "by": {"mail"}, "description": {"for <b>me</b>"}}, []string{"Complete date: FCR capacity", "for &lt;b&gt;me&lt;/b&gt;"}},
		"late by mail":         {url.Values{"event": {"late"}, "series": {"mfrr-energy.clearing_price_eur_mwh.UPWARD"}, "by": {"mail"}}, []string{"Late feed: mFRR energy", "Feed recovered: mFRR energy"}},
		"revised by a webhook": {url.Values{"event": {"revised"}, "series": {"day-ahead-prices.price_eur_mwh"}, "by": {"webhook"}, "url": {"https://receiver.example.org/x"}}, []string{"Revised values: Day-ahead prices"}},
	} {
		w := f.submit(t, "POST", "/alerts", test.form, anne, english)
		page := f.follow(t, w, anne, english)
		for _, want := range test.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not have %q: %s", name, want, page)
			}
		}
		if again := f.ask(t, "GET", w.Header().Get("Location"), anne, english).Body.String(); strings.Contains(again, "whsec_") {
			t.Errorf("%s: the secret is shown twice", name)
		}
	}
	list := f.ask(t, "GET", "/alerts", anne, english).Body.String()
	links := regexp.MustCompile(`href="(/alerts/\d+)"`).FindAllStringSubmatch(list, -1)
	if len(links) != 6 || !strings.Contains(list, "receiver.example.org") || strings.Contains(list, "receiver.example.org/x") {
		t.Fatalf("%d alerts: %s", len(links), list)
	}
	at := links[0][1]
	page := f.follow(t, f.submit(t, "POST", at+"/test", nil, anne, english), anne, english)
	delivery := regexp.MustCompile(`name="delivery" value="(msg_\w+)"`).FindStringSubmatch(page)
	if delivery == nil || !strings.Contains(page, "waiting") {
		t.Fatalf("no delivery: %s", page)
	}
	f.follow(t, f.submit(t, "POST", at+"/resend", url.Values{"delivery": {delivery[1]}}, anne), anne)
	f.follow(t, f.submit(t, "POST", at+"/enable", nil, anne), anne)
	if page := f.follow(t, f.submit(t, "POST", at+"/secret", nil, anne), anne); !strings.Contains(page, "whsec_") {
		t.Error("no new secret is shown")
	}
	denis := carrying(f.session(t, f.account(t, "denis@example.org", store.Administrator)))
	for _, path := range []string{at + "/test", at + "/resend", at + "/enable", at + "/secret", at + "/delete", "/alerts/x/test"} {
		if w := f.submit(t, "POST", path, nil, denis); w.Code != 404 {
			t.Errorf("another account's %s: %d", path, w.Code)
		}
		if w := f.submit(t, "POST", path, nil); w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/login") {
			t.Errorf("a guest's %s: %d", path, w.Code)
		}
	}
	if w := f.ask(t, "GET", at, denis); w.Code != 404 {
		t.Errorf("another account's page: %d", w.Code)
	}
	f.follow(t, f.submit(t, "POST", at+"/delete", nil, anne), anne)
	if w := f.ask(t, "GET", at, anne); w.Code != 404 {
		t.Errorf("after its end: %d", w.Code)
	}
}

func TestWhatAFormOfAlertsRefuses(t *testing.T) {
	t.Parallel()
	f := withUser(t) // sends no mail
	anne := f.signIn(t, email, password)
	webhook := func(changes ...string) url.Values {
		form := url.Values{"event": {"below"}, "series": {"day-ahead-prices.price_eur_mwh"}, "threshold": {"5"}, "by": {"webhook"}, "url": {"https://receiver.example.org/x"}}
		for i := 0; i < len(changes); i += 2 {
			form.Set(changes[i], changes[i+1])
		}
		return form
	}
	for name, test := range map[string]struct {
		form url.Values
		want string
	}{
		"no threshold":          {webhook("threshold", ""), "Enter a threshold"},
		"a text":                {webhook("threshold", "cheap"), "Enter a threshold"},
		"not a number":          {webhook("threshold", "NaN"), "Enter a threshold"},
		"a huge number":         {webhook("threshold", "1e300"), "Enter a threshold"},
		"no address":            {webhook("url", ""), "Enter the address of the webhook"},
		"a private address":     {webhook("url", "https://127.0.0.1/"), "It takes a public https:// address"},
		"by mail":               {webhook("by", "mail"), "This instance sends no e-mail"},
		"without subscription":  {webhook("series", "afrr-capacity.price.UPWARD"), "Your subscription does not cover this data"},
		"a series there is not": {webhook("series", "x"), "invalid_parameter"},
		"an event there is not": {webhook("event", "x"), "invalid_parameter"},
	} {
		w := f.submit(t, "POST", "/alerts", test.form, anne, english)
		if w.Code != 400 || !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if strings.HasPrefix(test.want, "Give") && !strings.Contains(w.Body.String(), `value="below" selected`) {
			t.Errorf("%s: what was chosen is forgotten", name)
		}
	}
}

func TestALinkInAMailEndsAnAlertAfterAButton(t *testing.T) {
	t.Parallel()
	f := withUser(t, func(o *api.Options) { o.Mail = &letterbox{} })
	anne := f.signIn(t, email, password)
	f.follow(t, f.submit(t, "POST", "/alerts", url.Values{"event": {"negative"}, "series": {"day-ahead-prices.price_eur_mwh"}, "by": {"mail"}}, anne), anne)
	hook, err := f.store.HookByID(t.Context(), 1)
	must(t, err)
	for path, want := range map[string]int{
		"/alerts/end?id=1&key=" + hooks.EndKey(hook): 200, "/alertes/fin?id=1&key=" + hooks.EndKey(hook): 200, "/alerts/end?id=1&key=x": 404, "/alerts/end": 404, "/alerts/end?id=2&key=" + hooks.EndKey(hook): 404,
	} {
		if w := f.ask(t, "GET", path); w.Code != want || (want == 200) != strings.Contains(w.Body.String(), `<form method="post" action="/alerts/end">`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if _, err := f.store.HookByID(t.Context(), 1); err != nil {
		t.Error("the link alone ended it")
	}
	if w := f.submit(t, "POST", "/alerts/end", url.Values{"id": {"1"}, "key": {"x"}}); w.Code != 404 {
		t.Errorf("with another key: %d", w.Code)
	}
	if w := f.submit(t, "POST", "/alerts/end", url.Values{"id": {"1"}, "key": {hooks.EndKey(hook)}}, english); w.Code != 200 || !strings.Contains(w.Body.String(), "sends no more e-mail") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if _, err := f.store.HookByID(t.Context(), 1); err == nil {
		t.Error("the alert is still there")
	}
}
