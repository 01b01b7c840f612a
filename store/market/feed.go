package market

import "time"

// FeedName names a feed, in the configuration, the database and the log.
type FeedName string

// The names of the feeds.
const (
	FeedDayAheadPrices FeedName = "day_ahead_prices"
	FeedCapacity       FeedName = "capacity"
	FeedAFRREnergy     FeedName = "afrr_energy"
	FeedMFRREnergy     FeedName = "mfrr_energy"
	FeedExchangePrices FeedName = "exchange_prices"
)

// The sources, as they are named to users.
const (
	SourceENTSOE = "ENTSO-E"
	SourceRTE    = "RTE"
)

// Feed describes a feed: a resource of a source, the datasets that it brings, and when it is asked by default.
type Feed struct {
	Name     FeedName
	Source   string
	Datasets []Dataset // all of them come with each call
	// Secondary marks a second source of its dataset: its values are served until the dataset's own feed has brought
	// them, and compared with them afterwards. Its timetable cannot be configured.
	Secondary bool

	WindowDays int // how many delivery dates one call may span
	// LocalTimes marks a source whose clock times bear no offset: on the day the clock goes back its windows are
	// asked for in two calls, cut at the change.
	LocalTimes bool
	// UndocumentedKeys marks a resource whose published description is incomplete: keys that Courant does not know
	// are worth an entry in the log.
	UndocumentedKeys bool

	Timetable Timetable
	Rereads   []Reread
}

// Timetable is when a feed asks its source: Every from From until To, as long as what is expected then is missing.
// Clock times are minutes after midnight in Paris; 1440 is the end of the day.
type Timetable struct {
	Every        time.Duration
	From, To     int
	LookbackDays int // how many delivery dates back, today included, the feed completes
	LateAt       int // from when on a delivery date that is not complete is late

	// Fixed marks a feed that runs at From and whole multiples of Every later, and not Every after its last run: the
	// source publishes each period at a known time after its end. What is missing then is asked for again a few minutes
	// later.
	Fixed bool
	// LagAt is how old the end of the newest period may be; 0: its age is not judged.
	LagAt time.Duration
}

// Reread is a clock time in Paris at which delivery dates that are complete are asked for again, because a source may
// have corrected them: those from FirstDay to LastDay days after the day of the reread.
type Reread struct {
	At                int // minutes after midnight
	FirstDay, LastDay int
	Weekly            bool
	Weekday           time.Weekday // the only day of a weekly reread
}

// Corrections of what is sold ahead are looked for before they matter, those of past dates at night.
var (
	pastDates      = Reread{At: 3 * 60, FirstDay: -7, LastDay: -1}
	priceRereads   = append(rereadsAt(0, 1, 6*60, 14*60+30, 18*60, 22*60), pastDates)
	reserveRereads = append(rereadsAt(0, 1, 11*60+30, 18*60), pastDates)
	energyRereads  = append(rereadsAt(-1, -1, 20), pastDates,
		Reread{At: 4*60 + 40, FirstDay: -14, LastDay: -8, Weekly: true, Weekday: time.Sunday})
)

// rereadsAt are daily rereads of the same delivery dates.
func rereadsAt(firstDay, lastDay int, minutes ...int) []Reread {
	var rereads []Reread
	for _, minute := range minutes {
		rereads = append(rereads, Reread{At: minute, FirstDay: firstDay, LastDay: lastDay})
	}
	return rereads
}

// defaultLookbackDays is how many delivery dates back a feed completes by default.
const defaultLookbackDays = 35

// Feeds lists all feeds. Each starts when its source publishes: prices around 12:50, capacity from 08:15, the energies
// all day. The exchanges are asked 45 minutes after the prices of ENTSO-E are due.
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
			// It is asked for today and tomorrow, and gives one of them.
			Name: FeedExchangePrices, Source: SourceRTE, Datasets: []Dataset{DayAheadPrices}, Secondary: true, WindowDays: 2,
			Timetable: Timetable{Every: 10 * time.Minute, From: 13*60 + 45, To: 18 * 60},
		},
	}
}

// Earliest returns the delivery date before which the feed's source is asked for nothing; zero if there is no such bound.
func (f Feed) Earliest() DeliveryDate {
	earliest := f.Datasets[0].About().Earliest
	for _, dataset := range f.Datasets[1:] {
		if other := dataset.About().Earliest; other.Before(earliest) {
			earliest = other
		}
	}
	return earliest
}

// IsSoldAhead reports whether the feed's datasets are known a day before their delivery date.
func (f Feed) IsSoldAhead() bool { return f.Datasets[0].About().Ahead }
