package server

import (
	"context"
	"encoding/json"
	"time"

	"courant/auth"
	"courant/store/market"
	"courant/web"
)

// reported is the report on the datasets as /api/status answers it.
type reported struct {
	Datasets         []reportedDataset `json:"datasets"`
	PriceDifferences []struct {
		Date          reportedDate `json:"date"`
		Between       string       `json:"between"`
		Quarters      int          `json:"quarters"`
		LargestEURMWh float64      `json:"largest_eur_mwh"`
		SeenAt        time.Time    `json:"seen_at"`
	} `json:"price_differences"`
	Corrections []struct {
		Dataset market.Dataset `json:"dataset"`
		Date    reportedDate   `json:"date"`
		Values  int            `json:"values"`
		SeenAt  time.Time      `json:"seen_at"`
	} `json:"corrections"`
	Clock *struct {
		AheadSeconds int64  `json:"ahead_seconds"`
		Host         string `json:"host"`
		Wrong        bool   `json:"wrong"`
	} `json:"clock"`
}

type reportedDataset struct {
	Dataset         market.Dataset `json:"dataset"`
	NewestPeriodEnd time.Time      `json:"newest_period_end"`
	Source          string         `json:"source"`
	State           string         `json:"state"`
	FirstDate       reportedDate   `json:"first_date"`
	LastChangeAt    time.Time      `json:"last_change_at"`
	LastError       string         `json:"last_error"`
	NextRunAt       time.Time      `json:"next_run_at"`
	Missing         []struct {
		Date     reportedDate `json:"date"`
		Expected int          `json:"expected"`
		Received int          `json:"received"`
		Reason   string       `json:"reason"`
	} `json:"missing"`
}

// reportedDate is a delivery date of a report; null is the zero date.
type reportedDate struct{ market.DeliveryDate }

func (d *reportedDate) UnmarshalText(text []byte) (err error) {
	d.DeliveryDate, err = market.ParseDeliveryDate(string(text))
	return err
}

// tell adds what is reported of a dataset to what is known of its data.
func (d reportedDataset) tell(feed *web.Feed) {
	feed.Source, feed.State, feed.Error = d.Source, d.State, d.LastError
	feed.First, feed.NewestEnd, feed.ChangedAt, feed.NextRunAt = d.FirstDate.DeliveryDate, d.NewestPeriodEnd, d.LastChangeAt, d.NextRunAt
	for _, m := range d.Missing {
		feed.Gaps = append(feed.Gaps, web.Gap{Date: m.Date.DeliveryDate, Expected: m.Expected, Received: m.Received, Reason: m.Reason})
	}
}

// feeds tells pages how the datasets are doing, once all bodies are built. It reads the report as its JSON is: how it is
// made is not known here.
func (s *Server) feeds(ctx context.Context, identity auth.Identity) (web.Feeds, error) {
	if !s.bodies.ready() {
		return web.Feeds{}, problemUnavailable
	}
	report, err := s.report(ctx, identity.Admin)
	if err != nil {
		return web.Feeds{}, err
	}
	text, err := json.Marshal(report)
	if err != nil {
		return web.Feeds{}, err
	}
	var read reported
	if err := json.Unmarshal(text, &read); err != nil {
		return web.Feeds{}, err
	}
	feeds := web.Feeds{At: s.clock.Now()}
	for _, dataset := range market.Datasets() {
		feed := web.Feed{Dataset: dataset}
		feed.Last, feed.ReadAt = s.bodies.news(dataset)
		for _, d := range read.Datasets {
			if d.Dataset == dataset {
				d.tell(&feed)
			}
		}
		feeds.All = append(feeds.All, feed)
	}
	if c := read.Clock; c != nil {
		feeds.Clock = &web.ClockDifference{Ahead: time.Duration(c.AheadSeconds) * time.Second, Host: c.Host, Wrong: c.Wrong}
	}
	for _, c := range read.Corrections {
		feeds.Corrections = append(feeds.Corrections, web.Correction{Dataset: c.Dataset, Date: c.Date.DeliveryDate, Values: c.Values, SeenAt: c.SeenAt})
	}
	for _, d := range read.PriceDifferences {
		feeds.Differences = append(feeds.Differences, web.PriceDifference{Date: d.Date.DeliveryDate, Between: d.Between, Quarters: d.Quarters, Largest: market.Num(d.LargestEURMWh), SeenAt: d.SeenAt})
	}
	return feeds, nil
}
