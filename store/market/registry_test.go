package market_test

import (
	"slices"
	"testing"

	"courant/store/market"
)

// bothLanguages reports whether a text has a French and an English form.
func bothLanguages(text market.Text) bool { return text.FR != "" && text.EN != "" }

func TestEveryDatasetIsDescribedWhole(t *testing.T) {
	groups := []market.Group{market.GroupPrices, market.GroupCapacity, market.GroupEnergy}
	sources := []string{market.SourceENTSOE, market.SourceRTE}
	for _, dataset := range market.Datasets() {
		about := dataset.About()
		if !bothLanguages(about.Title) || !bothLanguages(about.Summary) {
			t.Errorf("%s: title %v, summary %v", dataset, about.Title, about.Summary)
		}
		if !slices.Contains(groups, about.Group) || !slices.Contains(about.Group.Datasets(), dataset) {
			t.Errorf("%s is in the group %q", dataset, about.Group)
		}
		if !slices.Contains(sources, about.Source) || about.Product == "" || about.YearBytes <= 0 {
			t.Errorf("%s: source %q, product %q, %d bytes a year", dataset, about.Source, about.Product, about.YearBytes)
		}
		if about.Earliest.After(about.First) && !about.First.IsZero() {
			t.Errorf("%s is asked for from %s on, and its source has it from %s on", dataset, about.Earliest, about.First)
		}
		series := dataset.Series()
		if series.StepSeconds() <= 0 || about.Due == nil && series != market.AnySeries(market.Prices) {
			t.Errorf("%s: steps of %d s, due %v", dataset, series.StepSeconds(), about.Due)
		}
	}
}

func TestEveryServedKeyAndColumnIsNamedOnceAndExplained(t *testing.T) {
	for _, dataset := range market.Datasets() {
		series := dataset.Series()
		taken := map[string]bool{"period_start_utc": true, "period_end_utc": true}
		take := func(name string) {
			if name == "" || taken[name] {
				t.Errorf("%s: the name %q is served twice", dataset, name)
			}
			taken[name] = true
		}
		for _, key := range series.ServedKeys() {
			take(key.Name)
			if !bothLanguages(key.Text) {
				t.Errorf("%s: %+v", key.Name, key.Text)
			}
			explained(t, key.Name, key.Values)
		}
		numbers := 0
		for _, column := range series.ServedColumns() {
			take(column.Name)
			if !bothLanguages(column.Text) || !bothLanguages(column.Label) {
				t.Errorf("%s: text %+v, label %+v", column.Name, column.Text, column.Label)
			}
			if column.Kind == market.KindNumber {
				numbers++
			}
			if (column.Kind == market.KindNumber) != (column.Unit != "") || column.Unit != "" && column.Unit.Symbol() == "" {
				t.Errorf("%s is a %s in the unit %q", column.Name, column.Kind, column.Unit)
			}
			explained(t, column.Name, column.Values)
		}
		if numbers == 0 {
			t.Errorf("%s serves no number", dataset)
		}
	}
}

// explained checks that pages have words for each text that a column may be.
func explained(t *testing.T, name string, values []string) {
	t.Helper()
	for _, value := range values {
		if text := market.WordText(value); !bothLanguages(text) || text == (market.Text{FR: value, EN: value}) {
			t.Errorf("%s: pages show %q as %+v", name, value, text)
		}
	}
}

func TestEveryDatasetHasOneFeedOfItsOwn(t *testing.T) {
	own := map[market.Dataset]market.Feed{}
	names := map[market.FeedName]bool{}
	for _, feed := range market.Feeds() {
		if names[feed.Name] || feed.Name == "" {
			t.Errorf("two feeds are named %q", feed.Name)
		}
		names[feed.Name] = true
		for _, dataset := range feed.Datasets {
			if _, twice := own[dataset]; twice && !feed.Secondary {
				t.Errorf("%s is brought by two feeds", dataset)
			}
			if feed.Secondary {
				continue
			}
			own[dataset] = feed
			if feed.Source != dataset.About().Source || feed.IsSoldAhead() != dataset.About().Ahead {
				t.Errorf("%s: the feed %s is of %s, sold ahead: %t", dataset, feed.Name, feed.Source, feed.IsSoldAhead())
			}
			if feed.WindowDays <= 0 || len(feed.Rereads) == 0 || feed.Timetable.Every <= 0 || feed.Timetable.LookbackDays <= 0 {
				t.Errorf("%s: %+v", dataset, feed)
			}
		}
	}
	for _, dataset := range market.Datasets() {
		if _, has := own[dataset]; !has {
			t.Errorf("no feed brings %s", dataset)
		}
	}
}

func TestADatasetThatIsNotKnownIsShownAsItsText(t *testing.T) {
	if got := market.Dataset("weather").About().Title; got != (market.Text{FR: "weather", EN: "weather"}) {
		t.Errorf("%+v", got)
	}
}
