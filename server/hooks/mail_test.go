package hooks_test

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/ingest/report"
	"courant/server/hooks"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// letterbox is a Mailer that stores the mails.
type letterbox struct {
	mails []string
	err   error
}

func (b *letterbox) Send(_ context.Context, to, subject, text string) error {
	if b.err == nil {
		b.mails = append(b.mails, to+"\n"+subject+"\n"+text)
	}
	return b.err
}

func withMail(t testing.TB) (*fixture, *letterbox) {
	box := &letterbox{}
	return open(t, func(o *hooks.Options) { o.Mail = box }), box
}

// alert makes an alert by mail.
func (f *fixture) alert(t testing.TB, l web.Language, events ...hooks.Event) store.Hook {
	t.Helper()
	hook, err := f.Add(t.Context(), f.caller, hooks.Request{Events: events, Language: l})
	must(t, err)
	return hook
}

// cut returns a mail without the link that ends its alert.
func cut(mail string) string {
	text, _, _ := strings.Cut(mail, "\n\nCette alerte a été")
	text, _, _ = strings.Cut(text, "\n\nThis alert was")
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(text)
}

func TestAMailHasTheEventInTheLanguageOfThePerson(t *testing.T) {
	t.Parallel()
	negative := prices(day, 5, map[int]float64{3: -0.01, 4: -20.5, 5: -3, 90: -1})
	for name, test := range map[string]struct {
		language web.Language
		event    hooks.Event
		batch    market.Batch
		want     string
	}{
		"negative, French": {web.French, event(hooks.PriceNegative, market.DayAheadPrices, nil), negative,
			"boris@example.org\nCourant : Prix négatif : Prix day-ahead (2026-07-14)\nPrix négatif : Prix day-ahead\n\nDate de livraison : 14 juillet 2026\n" +
				"Périodes, à l’heure de Paris : 4\n\n00:45–01:30  −20,5 à −0,01 €/MWh\n22:30–22:45  −1 €/MWh"},
		"below, English": {web.English, event(hooks.PriceBelow, market.DayAheadPrices, number(-20)), negative,
			"boris@example.org\nCourant: Price below −20 €/MWh: Day-ahead prices (2026-07-14)\nPrice below −20 €/MWh: Day-ahead prices\n\nDelivery date: 14 July 2026\n" +
				"Periods, in Paris time: 1\n\n01:00–01:15  −20.5 €/MWh"},
		"capacity, French": {web.French, hooks.Event{Type: hooks.PriceAbove, Dataset: market.AFRRCapacity, Threshold: number(10), Keys: map[string]hooks.Values{"direction": {"UPWARD"}}},
			capacity(day, 4, 1),
			"boris@example.org\nCourant : Prix supérieur à 10 €/MW/h : Capacité aFRR, hausse (2026-07-14)\nPrix supérieur à 10 €/MW/h : Capacité aFRR, hausse\n\n" +
				"Date de livraison : 14 juillet 2026\nPériodes, à l’heure de Paris : 96\n\n00:00–00:00  16 €/MW/h"},
		"complete, English": {web.English, event(hooks.DateComplete, market.DayAheadPrices, nil), negative,
			"boris@example.org\nCourant: Complete date: Day-ahead prices (2026-07-14)\nComplete date: Day-ahead prices\n\nDelivery date: 14 July 2026\nAll periods are available."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, box := withMail(t)
			f.alert(t, test.language, test.event)
			f.commit(t, test.batch)
			f.step(t)
			f.step(t)
			if len(box.mails) != 1 {
				t.Fatalf("%d mails", len(box.mails))
			}
			if diff := cmp.Diff(test.want, cut(box.mails[0])); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMailsOfStatesRevisionsAndTests(t *testing.T) {
	t.Parallel()
	f, box := withMail(t)
	hook := f.alert(t, web.French, event(hooks.FeedLate, market.AFRREnergy, nil), event(hooks.FeedRecovered, market.AFRREnergy, nil), event(hooks.PriceNegative, market.DayAheadPrices, nil))
	next := func() string {
		t.Helper()
		f.step(t)
		if len(box.mails) != 1 {
			t.Fatalf("%d mails", len(box.mails))
		}
		mail := cut(box.mails[0])
		box.mails = nil
		return mail
	}
	must(t, f.JudgeStates(t.Context()))
	f.states[market.AFRREnergy] = report.StateLate
	must(t, f.JudgeStates(t.Context()))
	if got := next(); !strings.HasSuffix(got, "Courant : Flux en retard : Énergie aFRR\nFlux en retard : Énergie aFRR\n\nÉtat : en retard") {
		t.Error(got)
	}
	delete(f.states, market.AFRREnergy)
	must(t, f.JudgeStates(t.Context()))
	if got := next(); !strings.HasSuffix(got, "Les données arrivent de nouveau.") {
		t.Error(got)
	}
	f.commit(t, prices(day, 5, map[int]float64{3: -1}))
	next()
	f.clock.Advance(time.Minute)
	f.commit(t, prices(day, 5, nil))
	if got := next(); !strings.HasSuffix(got, "plus aucune période ne remplit la condition.") {
		t.Error(got)
	}
	_, err := f.SendTest(t.Context(), f.caller, hook.ID)
	must(t, err)
	if got := next(); !strings.HasSuffix(got, "- Flux en retard : Énergie aFRR\n- Flux rétabli : Énergie aFRR\n- Prix négatif : Prix day-ahead") {
		t.Error(got)
	}
}

func TestNoMailIsSentOfThePast(t *testing.T) {
	t.Parallel()
	f, box := withMail(t)
	f.alert(t, web.French, event(hooks.PriceNegative, market.DayAheadPrices, nil), event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day.Add(-8), -1, nil))
	f.step(t)
	if len(box.mails) > 0 || len(f.receiver.take()) != 1 {
		t.Errorf("mails %v", box.mails)
	}
	f.commit(t, prices(day.Add(-7), -1, nil))
	f.step(t)
	f.step(t)
	if len(box.mails) != 2 {
		t.Errorf("%d mails", len(box.mails))
	}
}

func TestAMailThatIsNotAcceptedIsSentLater(t *testing.T) {
	t.Parallel()
	f, box := withMail(t)
	hook := f.alert(t, web.French, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	box.err = errors.New("mail: greylisted")
	f.step(t)
	if d := f.delivery(t, hook); d.Fault != "mail" || d.Outcome != store.DeliveryWaiting {
		t.Errorf("%+v", d)
	}
	box.err = nil
	f.clock.Advance(5 * time.Second)
	f.step(t)
	if len(box.mails) != 1 {
		t.Errorf("%d mails", len(box.mails))
	}
}

func TestTheLinkInAMailEndsItsAlert(t *testing.T) {
	t.Parallel()
	f, box := withMail(t)
	hook, other := f.alert(t, web.English, event(hooks.DateComplete, market.DayAheadPrices, nil)), f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	f.step(t)
	lines := strings.Split(strings.TrimSpace(box.mails[0]), "\n")
	link, err := url.Parse(lines[len(lines)-1])
	must(t, err)
	id, err := strconv.ParseInt(link.Query().Get("id"), 10, 64)
	must(t, err)
	key := link.Query().Get("key")
	if link.Host != "courant.example" || link.Path != "/alerts/end" || id != hook.ID {
		t.Fatalf("the link is %s", link)
	}
	for name, wrong := range map[string]struct {
		id  int64
		key string
	}{"no key": {id, ""}, "another key": {id, key[:len(key)-1] + "_"}, "of a webhook": {other.ID, hooks.EndKey(other)}, "of another alert": {other.ID, key}, "unknown": {99, key}} {
		if err := f.EndByKey(t.Context(), wrong.id, wrong.key); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, f.EndByKey(t.Context(), id, key))
	if _, err := f.store.HookByID(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the alert is still there: %v", err)
	}
	notes, _, err := f.auth.Notes(t.Context(), 0)
	must(t, err)
	if n := notes[0]; n.Event != "hook_deleted" || n.Subject != "boris@example.org" || n.Detail != "by a link" {
		t.Errorf("%+v", n)
	}
}

func TestEveryPriceSeriesCanBeChosen(t *testing.T) {
	t.Parallel()
	var got []string
	for _, choice := range hooks.Choices() {
		got = append(got, choice.Value+" "+strings.ReplaceAll(choice.Text.FR, "\u00a0", " "))
	}
	want := []string{
		"day-ahead-prices.price_eur_mwh Prix day-ahead", "fcr-capacity.price Capacité FCR",
		"afrr-capacity.price.UPWARD Capacité aFRR, hausse", "afrr-capacity.price.DOWNWARD Capacité aFRR, baisse",
		"mfrr-capacity.price.UPWARD Capacité mFRR, hausse", "mfrr-capacity.price.DOWNWARD Capacité mFRR, baisse",
	}
	if len(got) < len(want) {
		t.Fatalf("%v", got)
	}
	if diff := cmp.Diff(want, got[:len(want)]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, name := range []string{"afrr-energy.upward_price_eur_mwh", "mfrr-energy.clearing_price_eur_mwh.UPWARD", "imbalance-prices.positive_price_eur_mwh", "imbalance-prices.negative_price_eur_mwh"} {
		if !strings.Contains(strings.Join(got, "\n"), name+" ") {
			t.Errorf("%s cannot be chosen: %v", name, got)
		}
	}
	for _, fault := range hooks.Faults() {
		if text := fault.Text(); text.FR == string(fault) || text.EN == "" {
			t.Errorf("%s has no text", fault)
		}
	}
	for _, kind := range append(hooks.Types(), hooks.Test) {
		if text := kind.Text(); text.FR == "" || text.EN == "" {
			t.Errorf("%s has no text", kind)
		}
	}
}
