package api_test

import (
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"courant/store/market"
)

// value is a decimal as a source publishes it and as the API shows it; empty is null.
type value string

// MarshalJSON writes the decimal as it is.
func (v value) MarshalJSON() ([]byte, error) {
	if v == "" {
		return []byte("null"), nil
	}
	return []byte(v), nil
}

// UnmarshalJSON keeps a decimal as it was written.
func (v *value) UnmarshalJSON(text []byte) error {
	*v = value(text)
	if string(text) == "null" {
		*v = ""
	}
	return nil
}

func (v value) number() market.Number {
	if v == "" {
		return market.Number{}
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		panic(err)
	}
	return market.Num(f)
}

func (v value) rat() *big.Rat {
	r, ok := new(big.Rat).SetString(string(v))
	if !ok {
		panic("no decimal: " + string(v))
	}
	return r
}

// decimal is a rational in its shortest form with so many decimals; big.Rat rounds halves away from zero.
func decimal(r *big.Rat, decimals int) value {
	text := r.FloatString(decimals)
	if decimals > 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		text = "0"
	}
	return value(text)
}

// millionths is n / 1 000 000 in its shortest form.
func millionths(n int64) value { return decimal(big.NewRat(n, 1_000_000), 6) }

func sumOf(values ...value) *big.Rat {
	sum := new(big.Rat)
	for _, v := range values {
		sum.Add(sum, v.rat())
	}
	return sum
}

// meanOf is the mean of the values that are not null, with two decimals.
func meanOf(values []value) value {
	var given []value
	for _, v := range values {
		if v != "" {
			given = append(given, v)
		}
	}
	if len(given) == 0 {
		return ""
	}
	return decimal(new(big.Rat).Quo(sumOf(given...), big.NewRat(int64(len(given)), 1)), 2)
}

// yesNo is true, false or null.
type yesNo string

// MarshalJSON writes the word, null if there is none.
func (y yesNo) MarshalJSON() ([]byte, error) { return value(y).MarshalJSON() }

// UnmarshalJSON keeps true and false as they were written.
func (y *yesNo) UnmarshalJSON(text []byte) error { return (*value)(y).UnmarshalJSON(text) }

func (y yesNo) flag() market.Flag { return market.Flag{V: y == "true", Valid: y != ""} }

// word is a text, null if it is empty.
type word string

// MarshalJSON writes the word, null if it is empty.
func (w word) MarshalJSON() ([]byte, error) {
	if w == "" {
		return []byte("null"), nil
	}
	return []byte(strconv.Quote(string(w))), nil
}

// utc is an instant of the API from seconds.
func utc(seconds int64) word {
	return word(time.Unix(seconds, 0).UTC().Format("2006-01-02T15:04:05.000Z"))
}

// at reads an instant such as 2026-03-29T01:00:00Z into seconds.
func at(text string) int64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.Unix()
}

// fetched is what the API says of a run that ended at noon.
const fetched word = "2026-07-15T12:00:00.000Z"

// randomMarket makes values up, always the same ones.
type randomMarket struct{ *rand.Rand }

func newMarket() randomMarket { return randomMarket{rand.New(rand.NewPCG(2026, 7))} }

// between is a value of so many decimals, null once in so many times.
func (m randomMarket) between(low, high int64, decimals int, nullOneIn int) value {
	if nullOneIn > 0 && m.IntN(nullOneIn) == 0 {
		return ""
	}
	scale := int64(1)
	for range decimals {
		scale *= 10
	}
	return decimal(big.NewRat(low*scale+m.Int64N((high-low)*scale+1), scale), decimals)
}

func (m randomMarket) oneOf(words ...yesNo) yesNo { return words[m.IntN(len(words))] }

// civilDay is a day in Paris with its bounds in UTC, written out rather than computed.
type civilDay struct {
	date       word
	start, end string
	quarters   int
	steps      int // of 4 s
}

// civilDays are an ordinary day and the two on which the clock changes.
var civilDays = []civilDay{
	{"2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 92, 20_700},
	{"2026-07-15", "2026-07-14T22:00:00Z", "2026-07-15T22:00:00Z", 96, 21_600},
	{"2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 100, 22_500},
}

// starts lists the starts of the steps between two instants.
func starts(from, to string, seconds int64) []int64 {
	var all []int64
	for s := at(from); s < at(to); s += seconds {
		all = append(all, s)
	}
	return all
}

// checkSteps says where instants do not follow one another at the step, from the day's first to its last.
func checkSteps(t testing.TB, day civilDay, seconds int64, got []word) {
	t.Helper()
	want := starts(day.start, day.end, seconds)
	if len(got) != len(want) {
		t.Fatalf("%s has %d steps of %d s, want %d", day.date, len(got), seconds, len(want))
	}
	for i := range want {
		if got[i] != utc(want[i]) {
			t.Fatalf("step %d of %s begins at %s, want %s", i, day.date, got[i], utc(want[i]))
		}
	}
}
