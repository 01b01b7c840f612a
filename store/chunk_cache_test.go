package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/store"
	"courant/store/market"
)

// read reads all rows of a query, as one chunk of its own.
func read(t *testing.T, s *store.Store, query store.ReadQuery) market.Chunk {
	t.Helper()
	reading, err := s.Read(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	var all market.Chunk
	for chunk, err := range reading.Chunks(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all.Append(chunk)
	}
	return all
}

// anew reads with another connection pool, of which nothing is cached.
func anew(t *testing.T, s *store.Store, query store.ReadQuery) market.Chunk {
	t.Helper()
	other, err := store.Open(t.Context(), s.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	return read(t, other, query)
}

func TestRowsThatAreReadAgainAreThoseThatAreStored(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	first := date("2026-10-22") // the day of 25 hours is among the four
	prices := func(offset float64) market.Batch {
		var rows []market.Price
		for start := first.Start().Unix(); start < first.Add(4).Start().Unix(); start += 900 {
			rows = append(rows, market.Price{Start: start, Resolution: market.PT15M, Price: market.Num(float64(start%977) + offset)})
		}
		return market.Prices.Batch(rows)
	}
	commit(t, s, runAt(0, market.DayAheadPrices), prices(0))
	whole := market.NewPeriod(first.Start(), first.Add(4).Start())
	queries := []store.ReadQuery{
		{Period: whole},
		{Period: market.NewPeriod(first.Start().Add(5*time.Hour), first.Add(3).Start().Add(7*time.Hour))},
		{Period: market.NewPeriod(first.Start().Add(-100*time.Hour), first.Start().Add(time.Hour))},
		{Period: whole, Columns: []string{}},
		{Period: whole, Columns: []string{market.ColumnPeriodStartUnix, "price_eur_mwh", market.ColumnUpdatedAt, market.ColumnSource}},
		{Period: whole, Skip: 90, Limit: 110},
		{Period: whole, Descending: true, Limit: 5},
	}
	check := func(what string) {
		t.Helper()
		for i, query := range queries {
			query.Dataset = market.DayAheadPrices
			want := anew(t, s, query)
			for range 2 {
				if difference := cmp.Diff(want, read(t, s, query)); difference != "" {
					t.Fatalf("%s, query %d (-want +got):\n%s", what, i, difference)
				}
			}
		}
	}
	check("at first")
	commit(t, s, runAt(1, market.DayAheadPrices), prices(0.5))
	check("after a commit")
	other, err := store.Open(t.Context(), s.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	commit(t, other, runAt(2, market.DayAheadPrices), prices(1.5))
	check("after a commit of another process")
	for at := store.Position(1); at <= 3; at++ {
		query := store.ReadQuery{Dataset: market.DayAheadPrices, Period: whole, At: at}
		if difference := cmp.Diff(anew(t, s, query), read(t, s, query)); difference != "" {
			t.Errorf("at position %d (-want +got):\n%s", at, difference)
		}
	}
	commit(t, s, runAt(3, market.FCRCapacity), market.Capacity.Batch([]market.CapacityStep{{
		Dataset: market.FCRCapacity, Start: first.Start().Unix(), Direction: market.Symmetric, TimeHorizon: "DAILY", Product: "STD", Price: market.Num(3),
	}}))
	check("after a commit of another dataset")
}

func TestAReadingKeepsItsMomentWhileACommitReplacesCachedRows(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	day := date("2026-07-14")
	batch := func(price float64) market.Batch {
		var rows []market.Price
		for start := day.Start().Unix(); start < day.Add(12).Start().Unix(); start += 900 {
			rows = append(rows, market.Price{Start: start, Resolution: market.PT15M, Price: market.Num(price)})
		}
		return market.Prices.Batch(rows)
	}
	commit(t, s, runAt(0, market.DayAheadPrices), batch(1))
	query := store.ReadQuery{Dataset: market.DayAheadPrices, Period: market.NewPeriod(day.Start(), day.Add(12).Start())}
	for _, warm := range []bool{false, true} {
		if warm {
			read(t, s, query)
		}
		reading, err := s.Read(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		want := read(t, s, query).Columns[0].Numbers[0]
		chunks := 0
		for chunk, err := range reading.Chunks(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if chunks == 0 {
				commit(t, s, runAt(1, market.DayAheadPrices), batch(want+1))
			}
			chunks++
			for _, price := range chunk.Columns[0].Numbers {
				if price != want {
					t.Fatalf("warm %t: a price of %v among those of %v", warm, price, want)
				}
			}
		}
		if chunks < 2 {
			t.Errorf("%d chunks", chunks)
		}
	}
}

func TestCachedRowsTakeBoundedMemory(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for i := range 20 {
		if bytes := s.CacheRows(date("2026-01-01").Add(i), 10_000); bytes > store.MostCachedBytes {
			t.Fatalf("%d bytes after %d dates", bytes, i+1)
		}
		if bytes := s.CacheRows(date("2026-01-01").Add(i), 10_000); bytes == 0 {
			t.Fatal("the newest date is not cached")
		}
	}
}
