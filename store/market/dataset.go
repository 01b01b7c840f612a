package market

import "slices"

// Dataset is the ID of a dataset; it is also the last part of the path of its endpoint.
type Dataset string

// Bridged is the dataset that is also served in the formats of other programs, at the addresses that a feeds token opens.
const Bridged = DayAheadPrices

// About describes a dataset, apart from its rows.
type About struct {
	ID      Dataset
	Title   Text   // its name
	Summary Text   // its content in one line
	Group   Group  // the page on which it is shown
	Reserve string // the reserve that it is about, as the API names it; may be empty
	Source  string // its publisher
	Product string // the interface and resource of the source
	Ahead   bool   // it is published a day before its delivery date; else rows in the future are dropped
	Open    bool   // readable with an account alone, without a subscription

	First    DeliveryDate // the first date that its source has; zero: the first stored date
	Earliest DeliveryDate // earlier dates are never fetched; zero: there is no such limit
	Due      []Due        // the series of a complete delivery date; nil: its feed decides otherwise what is complete
	MostRows int          // the greatest number of rows of a delivery date; 0: as many as the date has steps

	// DropsOutliers is set if a few rows with values out of bounds are dropped from a delivery date; else one such row
	// refuses the whole date.
	DropsOutliers bool

	// YearBytes is the growth of the database in a year with the default timetable, as a test measures it.
	YearBytes int64
}

// Group is a group of datasets that are shown on the same page.
type Group string

// The groups of datasets.
const (
	GroupPrices   Group = "prices"
	GroupCapacity Group = "capacity"
	GroupEnergy   Group = "energy"
)

// Datasets returns the datasets of the group, in the order of Datasets.
func (g Group) Datasets() []Dataset {
	return slices.DeleteFunc(Datasets(), func(d Dataset) bool { return d.About().Group != g })
}

// Aggregate is an endpoint that answers several datasets at once.
type Aggregate struct {
	Name  string // the last part of its path
	Title Text
	Parts []AggregatePart
}

// AggregatePart is a member of the answer of an Aggregate: byte for byte the answer of the dataset's own endpoint.
type AggregatePart struct {
	Key     string
	Dataset Dataset
}

// Aggregates returns all aggregates.
func Aggregates() []Aggregate {
	return []Aggregate{
		{"balancing-capacity", Text{"Les trois capacités en une réponse", "The three capacities in one answer"},
			[]AggregatePart{{"fcr", FCRCapacity}, {"afrr", AFRRCapacity}, {"mfrr", MFRRCapacity}}},
		{"balancing-energy", Text{"Les deux énergies en une réponse", "Both energies in one answer"},
			[]AggregatePart{{"afrr", AFRREnergy}, {"mfrr", MFRREnergy}}},
	}
}

// Due is a series that a complete delivery date has.
type Due struct {
	Prefix string       // with which the name of the series begins
	First  DeliveryDate // the first date for which it is published; zero: all dates
}

// registered are the series of all datasets, in the order in which they are shown everywhere.
var registered = []AnySeries{Prices, Capacity, AFRR, MFRR, Imbalance}

// Datasets returns all datasets, in the order in which they are shown everywhere.
func Datasets() []Dataset {
	var datasets []Dataset
	for _, series := range registered {
		for _, about := range series.About() {
			datasets = append(datasets, about.ID)
		}
	}
	return datasets
}

// ParseDataset returns the dataset with that ID, and false if there is none.
func ParseDataset(text string) (Dataset, bool) {
	d := Dataset(text)
	return d, slices.Contains(Datasets(), d)
}

// About returns the description of the dataset. A dataset that is not registered, such as one that a later version stored, has
// its ID as its title and nothing else.
func (d Dataset) About() About {
	for _, series := range registered {
		for _, about := range series.About() {
			if about.ID == d {
				return about
			}
		}
	}
	return About{ID: d, Title: Text{string(d), string(d)}}
}

// Series returns the series of the dataset. It panics if the dataset is not registered.
func (d Dataset) Series() AnySeries {
	for _, series := range registered {
		if slices.ContainsFunc(series.About(), func(about About) bool { return about.ID == d }) {
			return series
		}
	}
	panic("market: there is no dataset " + string(d))
}

// Direction is the direction in which a reserve moves the balance of the system, as the API names it.
type Direction string

// The directions.
const (
	Upward    Direction = "UPWARD"
	Downward  Direction = "DOWNWARD"
	Symmetric Direction = "SYMMETRIC"
)

// Word is a word of the API and its text on pages.
type Word struct {
	Name string
	Text Text
}

var (
	textDirection = Text{"Sens", "Direction"}
	wordUpward    = Word{string(Upward), Text{"hausse", "upward"}}
	wordDownward  = Word{string(Downward), Text{"baisse", "downward"}}
	wordSymmetric = Word{string(Symmetric), Text{"symétrique", "symmetric"}}
)

// WordText returns the text of a word of the API; the word itself if it is not known.
func WordText(name string) Text {
	for _, series := range registered {
		for _, word := range series.words() {
			if word.Name == name {
				return word.Text
			}
		}
	}
	return Text{name, name}
}

// The steps at which values are published, in seconds.
const (
	QuarterSeconds = 900
	AFRRSeconds    = 4
)
