package market

import "slices"

// Dataset is one of the six series that Courant keeps; its text is the last part of its API path.
type Dataset string

const (
	DayAheadPrices Dataset = "day-ahead-prices" // ENTSO-E A44, zone FR, EUR/MWh
	FCRCapacity    Dataset = "fcr-capacity"     // RTE Balancing Capacity, reserve FCR
	AFRRCapacity   Dataset = "afrr-capacity"    // RTE Balancing Capacity, reserve AFRR
	MFRRCapacity   Dataset = "mfrr-capacity"    // RTE Balancing Capacity, reserve MFRR
	AFRREnergy     Dataset = "afrr-energy"      // RTE Balancing Energy, afrr_marginal_price, every 4 s
	MFRREnergy     Dataset = "mfrr-energy"      // RTE Balancing Energy, standard_mfrr_data, every 15 min

	ImbalancePrices Dataset = "imbalance-prices" // RTE Balancing Energy, imbalance_data, every 15 min
)

var datasets = []Dataset{DayAheadPrices, FCRCapacity, AFRRCapacity, MFRRCapacity, AFRREnergy, MFRREnergy}

// Datasets lists the six in the order in which they are always shown.
func Datasets() []Dataset { return slices.Clone(datasets) }

// ParseDataset reads a dataset's text; false if there is no such dataset.
func ParseDataset(text string) (Dataset, bool) {
	d := Dataset(text)
	return d, slices.Contains(datasets, d)
}

// Direction is the way a reserve moves the system, in the words of the API.
type Direction string

const (
	Upward    Direction = "UPWARD"
	Downward  Direction = "DOWNWARD"
	Symmetric Direction = "SYMMETRIC"
)

// The steps at which values are published, in seconds.
const (
	QuarterSeconds = 900
	AFRRSeconds    = 4
)
