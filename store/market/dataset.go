package market

import "slices"

// Dataset is one of the series that Courant keeps; its text is the last part of its API path.
type Dataset string

// About is what is known of a dataset beside its rows.
type About struct {
	ID      Dataset
	Title   Text   // its name
	Summary Text   // what it has, in a line
	Group   Group  // with which others it is shown
	Reserve string // that it is about, as the API calls it; empty: none
	Source  string // who publishes it
	Product string // of the source, from which it comes
	Ahead   bool   // it is known a day before its delivery date; else nothing of it lies in the future
	Open    bool   // an account is enough to read it

	First    DeliveryDate // from when on its source has it; zero: from its first stored date on
	Earliest DeliveryDate // nothing before it is asked for; zero: there is no such bound
	Due      []Due        // the series that a whole delivery date has; nil: its feed judges that otherwise
	MostRows int          // that a delivery date may have; 0: the clock bounds them

	LeavesOdd bool // a few rows out of bounds are left out of a delivery date; else one costs the whole date

	// YearBytes is what a year of serving by the default timetable adds to the database, as a test measures it.
	YearBytes int64
}

// Group is the datasets that pages show together.
type Group string

// The groups of datasets.
const (
	GroupPrices   Group = "prices"
	GroupCapacity Group = "capacity"
	GroupEnergy   Group = "energy"
)

// Datasets lists the datasets of a group.
func (g Group) Datasets() []Dataset {
	return slices.DeleteFunc(Datasets(), func(d Dataset) bool { return d.About().Group != g })
}

// Aggregate is several datasets in one answer.
type Aggregate struct {
	Name  string // the last part of its API path
	Title Text
	Parts []AggregatePart
}

// AggregatePart is a member of an Aggregate: to the byte the dataset's own answer.
type AggregatePart struct {
	Key     string
	Dataset Dataset
}

// Aggregates lists the answers that put several datasets together.
func Aggregates() []Aggregate {
	return []Aggregate{
		{"balancing-capacity", Text{"Les trois capacités en une réponse", "The three capacities in one answer"},
			[]AggregatePart{{"fcr", FCRCapacity}, {"afrr", AFRRCapacity}, {"mfrr", MFRRCapacity}}},
		{"balancing-energy", Text{"Les deux énergies en une réponse", "Both energies in one answer"},
			[]AggregatePart{{"afrr", AFRREnergy}, {"mfrr", MFRREnergy}}},
	}
}

// Due is a series that a whole delivery date has: the names of its rows' series begin with Prefix.
type Due struct {
	Prefix string
	First  DeliveryDate // from when on it is published; zero: always
}

// registered are the series of all datasets, in the order in which they are always shown.
var registered = []AnySeries{Prices, Capacity, AFRR, MFRR, Imbalance}

// All lists the series of all datasets.
func All() []AnySeries { return slices.Clone(registered) }

// Datasets lists all datasets in the order in which they are always shown.
func Datasets() []Dataset {
	var datasets []Dataset
	for _, series := range registered {
		for _, about := range series.About() {
			datasets = append(datasets, about.ID)
		}
	}
	return datasets
}

// ParseDataset reads a dataset's text; false if there is no such dataset.
func ParseDataset(text string) (Dataset, bool) {
	d := Dataset(text)
	return d, slices.Contains(Datasets(), d)
}

// About is what is known of the dataset; of one that is not among Datasets, such as one that a later version stored, its
// text alone.
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

// Series is the series that the dataset, which has to be one of Datasets, is made of.
func (d Dataset) Series() AnySeries {
	for _, series := range registered {
		if slices.ContainsFunc(series.About(), func(about About) bool { return about.ID == d }) {
			return series
		}
	}
	panic("market: there is no dataset " + string(d))
}

// Direction is the way a reserve moves the system, in the words of the API.
type Direction string

const (
	Upward    Direction = "UPWARD"
	Downward  Direction = "DOWNWARD"
	Symmetric Direction = "SYMMETRIC"
)

// Word is a text of the API, and how people say it.
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

// WordText is how people say a text of the API; the text itself if it is not known.
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
