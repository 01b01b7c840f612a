package simulator

import "time"

// Capacity is what one balancing capacity product contracted for one 15 min
// step. The words are RTE's.
type Capacity struct {
	Start        time.Time // UTC
	Reserve      string    // AFRR, FCR, MFRR, RR
	Product      string    // STD, SPE, SPE0
	Horizon      string    // DAILY, PERIODIC
	Direction    string    // UP, DOWN, UP_DOWN
	Offered      float64   // MW, whole, never below Contracted
	Contracted   float64   // MW, whole
	PricePerStep float64   // EUR/MW for 15 min, at most six decimals
}

// CapacitySteps returns the balancing capacity of a delivery date, product by
// product and each in time order. There is none before 2025-01-01, mFRR and RR
// upward begin on 2025-10-20 and mFRR downward on 2026-05-01.
func CapacitySteps(d Day) []Capacity {
	var steps []Capacity
	for _, p := range capacityProducts {
		steps = append(steps, p.steps(d)...)
	}
	return steps
}

// capacityProduct is what one tender sells.
type capacityProduct struct {
	reserve, product, horizon, direction string

	first      Day // its first delivery date
	blockHours int // what is bought at one price, in hours of the Paris clock
	daysAhead  int // its results are out that many days before delivery,
	hour       int // at this time in Paris
	minute     int

	contracted [2]int // MW, from and to
	surplus    [2]int // MW offered beyond that
	cents      [2]int // EUR cents per MW for a whole block
}

var capacityProducts = []capacityProduct{
	{reserve: "AFRR", product: "STD", horizon: "DAILY", direction: "UP",
		first: Day{2025, time.January, 1}, blockHours: 1, daysAhead: 1, hour: 9, minute: 8,
		contracted: [2]int{520, 720}, surplus: [2]int{400, 1900}, cents: [2]int{240, 3900}},
	{reserve: "AFRR", product: "STD", horizon: "DAILY", direction: "DOWN",
		first: Day{2025, time.January, 1}, blockHours: 1, daysAhead: 1, hour: 9, minute: 8,
		contracted: [2]int{540, 760}, surplus: [2]int{300, 2100}, cents: [2]int{79, 2600}},
	{reserve: "FCR", product: "STD", horizon: "DAILY", direction: "UP_DOWN",
		first: Day{2025, time.January, 1}, blockHours: 4, daysAhead: 1, hour: 8, minute: 16,
		contracted: [2]int{440, 560}, surplus: [2]int{60, 420}, cents: [2]int{1150, 12800}},
	{reserve: "MFRR", product: "SPE", horizon: "DAILY", direction: "DOWN",
		first: Day{2026, time.May, 1}, blockHours: 1, daysAhead: 1, hour: 10, minute: 7,
		contracted: [2]int{250, 500}, surplus: [2]int{100, 900}, cents: [2]int{40, 1400}},
	{reserve: "MFRR", product: "SPE0", horizon: "DAILY", direction: "UP",
		first: Day{2025, time.October, 20}, blockHours: 24, daysAhead: 1, hour: 10, minute: 8,
		contracted: [2]int{500, 700}, surplus: [2]int{200, 900}, cents: [2]int{880, 3200}},
	{reserve: "MFRR", product: "SPE0", horizon: "PERIODIC", direction: "UP",
		first: Day{2025, time.October, 20}, blockHours: 24, daysAhead: 14, hour: 10, minute: 8,
		contracted: [2]int{500, 500}, surplus: [2]int{80, 260}, cents: [2]int{3300, 3700}},
	{reserve: "RR", product: "SPE0", horizon: "DAILY", direction: "UP",
		first: Day{2025, time.October, 20}, blockHours: 24, daysAhead: 1, hour: 10, minute: 8,
		contracted: [2]int{300, 500}, surplus: [2]int{100, 600}, cents: [2]int{700, 2600}},
}

// published returns when the results for a delivery date are out, in UTC.
func (p capacityProduct) published(d Day) time.Time {
	return d.Add(-p.daysAhead).at(p.hour, p.minute)
}

// steps returns the product's results for a delivery date in time order, none
// before its first one.
//
// A block takes all quarters of its Paris hours, so the FCR block from midnight
// has 12 on the spring day and 20 on the autumn day, at the price per quarter of
// an ordinary block.
func (p capacityProduct) steps(d Day) []Capacity {
	if d.before(p.first) {
		return nil
	}
	r := random("capacity "+p.reserve+" "+p.product+" "+p.horizon+" "+p.direction, d)
	scarcity := r.Float64() // of the day: the blocks of a day resemble each other
	steps := make([]Capacity, d.steps(quarter))
	var block Capacity
	for i := range steps {
		start := d.Start().Add(time.Duration(i) * quarter)
		local := start.In(paris)
		if local.Minute() == 0 && local.Hour()%p.blockHours == 0 {
			contracted := between(r, p.contracted[0], p.contracted[1])
			offered := contracted + between(r, p.surplus[0], p.surplus[1])
			if chance(r, 0.02) {
				offered = contracted
			}
			tight := (scarcity + r.Float64()) / 2
			cents := p.cents[0] + int(tight*tight*float64(p.cents[1]-p.cents[0]))
			block = Capacity{
				Reserve: p.reserve, Product: p.product, Horizon: p.horizon, Direction: p.direction,
				Offered: float64(offered), Contracted: float64(contracted),
				PricePerStep: round(float64(cents)/float64(100*4*p.blockHours), 6),
			}
		}
		steps[i] = block
		steps[i].Start = start
	}
	return steps
}
