package market

import (
	"slices"
	"time"
)

// FeedName is the name of a feed in the configuration, the database and the log.
type FeedName string

// The names of the feeds.
const (
	FeedDayAheadPrices FeedName = "day_ahead_prices"
	FeedCapacity       FeedName = "capacity"
	FeedAFRREnergy     FeedName = "afrr_energy"
	FeedMFRREnergy     FeedName = "mfrr_energy"
	FeedExchangePrices FeedName = "exchange_prices"
)

// The names of the sources, as users see them.
const (
	SourceENTSOE = "ENTSO-E"
	SourceRTE    = "RTE"
)

// Attribution returns the text with which a source asks to be credited.
func Attribution(source string) string {
	if source == SourceENTSOE {
		return "Source: ENTSO-E Transparency Platform"
	}
	return "Source: " + source
}

// SourcesOf returns the names of a dataset's sources, the primary one first.
func SourcesOf(dataset Dataset) []string {
	var sources []string
	for _, feed := range Feeds() {
		if slices.Contains(feed.Datasets, dataset) {
			sources = append(sources, feed.Source)
		}
	}
	return sources
}

// Feed describes a feed: a resource of a source, the datasets that it provides, and its default timetable.
type Feed struct {
	Name     FeedName
	Source   string
	Datasets []Dataset // every reply has all of them
	// Secondary is set if this is a second source of its dataset: its values are served until the primary feed has provided
	// them, and are compared with those afterwards. Its timetable cannot be configured.
	Secondary bool

	WindowDays int // the greatest number of delivery dates of one request
	// LocalTimes is set if the source's local times have no UTC offset: the day on which the clock goes back is fetched in two
	// requests, split at the change.
	LocalTimes bool
	// UndocumentedKeys is set if the documentation of the resource is incomplete: unknown keys in its replies are logged.
	UndocumentedKeys bool

	Timetable Timetable
	Rereads   []Reread
}

// Timetable is when a feed fetches from its source: at intervals of Every between From and To, while something that is due is
// missing. Times of day are minutes after midnight in Paris; 1440 is the end of the day.
type Timetable struct {
	Every        time.Duration
	From, To     int
	LookbackDays int // the number of delivery dates up to today that the feed completes
	LateAt       int // the time of day from which an incomplete delivery date is late

	// Fixed is set if the feed runs at From and multiples of Every after it, rather than Every after its last run, because the
	// source publishes each period at a known time after its end. What is still missing then is fetched a few minutes later.
	Fixed bool
	// LagAt is the age of the end of the newest period from which the feed is late; 0: its age does not matter.
	LagAt time.Duration
}

// Reread is a time of day in Paris at which complete delivery dates are fetched again, because the source may have corrected
// them: the dates from FirstDay to LastDay days after the day of the reread.
type Reread struct {
	At                int // minutes after midnight
	FirstDay, LastDay int
	Weekly            bool
	Weekday           time.Weekday // the only day of a weekly reread
}

// The default rereads. Day-ahead data are read again before their delivery, past dates at night.
var (
	pastDates      = Reread{At: 3 * 60, FirstDay: -7, LastDay: -1}
	priceRereads   = append(rereadsAt(0, 1, 6*60, 14*60+30, 18*60, 22*60), pastDates)
	reserveRereads = append(rereadsAt(0, 1, 11*60+30, 18*60), pastDates)
	energyRereads  = append(rereadsAt(-1, -1, 20), pastDates,
		Reread{At: 4*60 + 40, FirstDay: -14, LastDay: -8, Weekly: true, Weekday: time.Sunday})
)

// rereadsAt returns daily rereads of the same delivery dates, one for each time of day.
func rereadsAt(firstDay, lastDay int, minutes ...int) []Reread {
	var rereads []Reread
	for _, minute := range minutes {
		rereads = append(rereads, Reread{At: minute, FirstDay: firstDay, LastDay: lastDay})
	}
	return rereads
}

// defaultLookbackDays is the default of LookbackDays.
const defaultLookbackDays = 35

// Feeds returns all feeds. Each starts when its source publishes: prices around 12:50, capacity from 08:15, energies all day.
// RTE's exchange prices are fetched from 45 minutes after those of ENTSO-E are due.
func Feeds() []Feed {
	return []Feed{
		{
			Name: FeedDayAheadPrices, Source: SourceENTSOE, Datasets: []Dataset{DayAheadPrices},
			WindowDays: 90, Rereads: priceRereads,
			Timetable: Timetable{
				Every: 10 * time.Minute, From: 12*60 + 40, To: 18 * 60,
				LookbackDays: defaultLookbackDays, LateAt: 14*60 + 30,
			},
		}, {
			Name: FeedCapacity, Source: SourceRTE, Datasets: []Dataset{FCRCapacity, AFRRCapacity, MFRRCapacity},
			WindowDays: 7, Rereads: reserveRereads,
			Timetable: Timetable{
				Every: 10 * time.Minute, From: 8*60 + 10, To: 11*60 + 30,
				LookbackDays: defaultLookbackDays, LateAt: 11 * 60,
			},
		}, {
			Name: FeedAFRREnergy, Source: SourceRTE, Datasets: []Dataset{AFRREnergy},
			WindowDays: 1, LocalTimes: true, Rereads: energyRereads,
			Timetable: Timetable{
				Every: 15 * time.Minute, From: 0, To: 24 * 60,
				LookbackDays: defaultLookbackDays, LateAt: 6 * 60,
			},
		}, {
			Name: FeedMFRREnergy, Source: SourceRTE, Datasets: []Dataset{MFRREnergy},
			WindowDays: 7, UndocumentedKeys: true, Rereads: energyRereads,
			Timetable: Timetable{
				Every: 15 * time.Minute, From: 0, To: 24 * 60,
				LookbackDays: defaultLookbackDays, LateAt: 6 * 60,
			},
		},
		imbalanceFeed,
		{
			// The request is for today and tomorrow; the reply has one of them.
			Name: FeedExchangePrices, Source: SourceRTE, Datasets: []Dataset{DayAheadPrices}, Secondary: true, WindowDays: 2,
			Timetable: Timetable{Every: 10 * time.Minute, From: 13*60 + 45, To: 18 * 60},
		},
	}
}

// Earliest returns the delivery date before which the feed's source is asked for nothing; zero if there is no such bound.
func (f Feed) Earliest() DeliveryDate {
	var earliest DeliveryDate
	for i, dataset := range f.Datasets {
		if of := dataset.About().Earliest; i == 0 || of.Before(earliest) {
			earliest = of
		}
	}
	return earliest
}

// RereadDays returns for how many days after a delivery date of the dataset its feeds read the date again.
func (d Dataset) RereadDays() int {
	days := 0
	for _, feed := range Feeds() {
		for _, reread := range feed.Rereads {
			if slices.Contains(feed.Datasets, d) {
				days = max(days, -reread.FirstDay)
			}
		}
	}
	return days
}

// IsSoldAhead reports whether the feed's datasets are published a day before their delivery date.
func (f Feed) IsSoldAhead() bool { return f.Datasets[0].About().Ahead }
