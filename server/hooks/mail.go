package hooks

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"courant/ingest/report"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// mostMailLines is how many ranges of periods a mail lists.
const mostMailLines = 20

// mailed is what a mail takes from the body of a delivery.
type mailed struct {
	Data struct {
		Dataset   market.Dataset
		Date      string
		Column    string
		Keys      map[string]Values
		Threshold float64
		Count     int
		Periods   []mailedPeriod
		State     report.State
	}
}

type mailedPeriod struct {
	Start, End time.Time
	Value      float64
	Keys       map[string]string
}

// mailOf makes the mail of a delivery, in the language of its hook.
func (s *Service) mailOf(d store.DueDelivery) (subject, text string, err error) {
	l, _ := web.ParseLanguage(d.Hook.Language)
	say := func(fr, en string) string { return web.Text{FR: fr, EN: en}.In(l) }
	events, err := EventsOf(d.Hook)
	if err != nil {
		return "", "", err
	}
	var body mailed
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return "", "", err
	}
	var what string
	var lines []string
	if Type(d.Type) == Test {
		what = Test.Text().In(l)
		lines = append(lines, say("Cette alerte fonctionne. Elle signale :", "This alert works. It notifies you of:"))
		for _, e := range events {
			lines = append(lines, "- "+e.Text().In(l))
		}
	} else {
		event := eventOf(events, Type(d.Type), body)
		what = event.Text().In(l)
		lines, err = body.lines(l, event)
	}
	if err != nil {
		return "", "", err
	}
	subject = "Courant" + say(" : ", ": ") + what
	if body.Data.Date != "" {
		subject += " (" + body.Data.Date + ")"
	}
	if s.Simulated {
		lines = append(lines, "", say("Données simulées : aucune valeur n’a été publiée.", "Simulated data: no value was ever published."))
	}
	lines = append(lines, "",
		say("Cette alerte a été créée sur ", "This alert was created at ")+s.PublicURL+web.PageAlerts.In(l)+".",
		say("Pour la supprimer :", "To delete it:"), s.PublicURL+web.EndAlertAddress(l, d.Hook.ID, EndKey(d.Hook)))
	return subject, what + "\n\n" + strings.Join(lines, "\n") + "\n", nil
}

// eventOf returns the event of a hook that a delivery is about.
func eventOf(events []Event, kind Type, body mailed) Event {
	for _, e := range events {
		isOf := e.Type == kind && e.Dataset == body.Data.Dataset
		if isOf && e.Column == body.Data.Column && sameKeys(e.Keys, body.Data.Keys) && e.bound() == body.Data.Threshold {
			return e
		}
	}
	return Event{Type: kind, Dataset: body.Data.Dataset}
}

func sameKeys(a, b map[string]Values) bool { return len(a) == len(b) && fmt.Sprint(a) == fmt.Sprint(b) }

// lines returns what a mail has to say of an event.
func (m mailed) lines(l web.Language, event Event) ([]string, error) {
	say := func(fr, en string) string { return web.Text{FR: fr, EN: en}.In(l) }
	switch event.Type {
	case FeedLate:
		return []string{say("État : ", "State: ") + web.StateText(m.Data.State).In(l)}, nil
	case FeedRecovered:
		return []string{say("Les données arrivent de nouveau.", "Data is arriving again.")}, nil
	}
	date, err := market.ParseDeliveryDate(m.Data.Date)
	if err != nil {
		return nil, err
	}
	on := say("Date de livraison : ", "Delivery date: ") + web.FormatDay(l, date)
	if event.Type == DateComplete {
		return []string{on, say("Toutes les périodes sont disponibles.", "All periods are available.")}, nil
	}
	if m.Data.Count == 0 {
		return []string{on, say(
			"Après une correction, plus aucune période ne remplit la condition.", "After a revision, no period meets the condition any more.",
		)}, nil
	}
	count := web.Decimal(l, market.Num(float64(m.Data.Count)))
	lines := []string{on, say("Périodes, à l’heure de Paris : ", "Periods, in Paris time: ") + count, ""}
	ranges := joined(m.Data.Periods)
	for _, r := range ranges[:min(len(ranges), mostMailLines)] {
		lines = append(lines, r.line(l, event.column().Unit))
	}
	if len(ranges) > mostMailLines || m.Data.Count > len(m.Data.Periods) {
		lines = append(lines, "…")
	}
	return lines, nil
}

// priceRange is consecutive periods with the same keys.
type priceRange struct {
	start, end  time.Time
	least, most float64
	keys        string
}

// joined returns the ranges of periods.
func joined(periods []mailedPeriod) []*priceRange {
	var ranges []*priceRange
	last := map[string]*priceRange{} // by keys
	for _, p := range periods {
		keys := fmt.Sprint(p.Keys)
		if r := last[keys]; r != nil && r.end.Equal(p.Start) {
			r.end, r.least, r.most = p.End, min(r.least, p.Value), max(r.most, p.Value)
			continue
		}
		r := &priceRange{start: p.Start, end: p.End, least: p.Value, most: p.Value, keys: keys}
		last[keys] = r
		ranges = append(ranges, r)
	}
	return ranges
}

func (r *priceRange) line(l web.Language, unit market.Unit) string {
	price := web.Decimal(l, market.Num(r.least))
	if r.most != r.least {
		price += web.Text{FR: " à ", EN: " to "}.In(l) + web.Decimal(l, market.Num(r.most))
	}
	return fmt.Sprintf("%s–%s  %s %s", web.Clock(r.start.Unix()), web.Clock(r.end.Unix()), price, unit.Symbol())
}
