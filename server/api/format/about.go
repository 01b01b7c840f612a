package format

import (
	"strconv"
	"time"

	"courant/store/market"
)

// fact is one line of what a file says about its rows.
type fact struct {
	name  string // of Parquet's metadata
	label market.Text
	value string
}

// facts returns what a file says about its rows, apart from its columns. Instants are UTC.
func (h Head) facts(o Options) []fact {
	instant := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return string(utcClock().append(nil, t.UnixMilli()))
	}
	facts := []fact{
		{"dataset", market.Text{FR: "Jeu de données", EN: "Dataset"}, string(h.Dataset)},
		{"title", market.Text{FR: "Titre", EN: "Title"}, o.text(h.Title)},
		{"source", market.Text{FR: "Source", EN: "Source"}, h.Source},
		{"attribution", market.Text{FR: "Mention de la source", EN: "Attribution"}, h.Attribution},
		{"from", market.Text{FR: "Du, UTC", EN: "From, UTC"}, instant(h.Period.From())},
		{"to", market.Text{FR: "Au, UTC, exclu", EN: "To, UTC, excluded"}, instant(h.Period.To())},
		{"resolution", market.Text{FR: "Résolution", EN: "Resolution"}, h.Resolution},
		{"generated_at", market.Text{FR: "Produit à, UTC", EN: "Made at, UTC"}, instant(h.GeneratedAt)},
		{"position", market.Text{FR: "Position", EN: "Position"}, strconv.FormatInt(h.Position, 10)},
	}
	if !h.AsOf.IsZero() {
		facts = append(facts, fact{"as_of", market.Text{FR: "Tel que connu à, UTC", EN: "As known at, UTC"}, instant(h.AsOf)})
	}
	if h.Simulated {
		facts = append(facts, fact{"simulated", market.Text{FR: "Données simulées", EN: "Simulated data"}, "true"})
	}
	return facts
}
