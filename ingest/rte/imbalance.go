package rte

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"courant/ingest/source"
	"courant/store/market"
)

var imbalanceData = resource{"Balancing Energy", "balancing_energy/v5", "imbalance_data", false, 100, 500}

// ImbalanceData asks for the imbalance settlement prices of the quarter hours in the window, which is at most 7 days long
// and does not begin before delivery date 2025-01-01.
func (c *Client) ImbalanceData(ctx context.Context, window market.Period) (source.Reply[market.ImbalanceStep], source.Traffic, error) {
	return ask(ctx, c, imbalanceData, window, DecodeImbalanceData)
}

// firstImbalanceQuarters is the first delivery date that RTE settles by the quarter hour. Steps before it are half hours.
var firstImbalanceQuarters = market.ImbalancePrices.About().Earliest

// systemTrends are RTE's words for the direction of the balancing energy that the system needed.
var systemTrends = map[string]market.Direction{
	"HAUSSE": market.Upward, "BAISSE": market.Downward, "UPWARD": market.Upward, "DOWNWARD": market.Downward,
}

var imbalanceShape = shape[market.ImbalanceStep]{
	numbers: func(r *market.ImbalanceStep) []*market.Number {
		return []*market.Number{&r.PositivePrice, &r.NegativePrice, &r.ImbalanceMWh}
	},
	texts: func(r *market.ImbalanceStep) []*market.String {
		return []*market.String{&r.SystemTrend, &r.MissingData}
	},
	updated: func(r *market.ImbalanceStep) *int64 { return &r.Updated },
	series:  func(*market.ImbalanceStep) (string, int64) { return "", market.QuarterSeconds },
}

// DecodeImbalanceData reads a reply of imbalance_data v5: the imbalance settlement of quarter hours, in any order; RTE
// lists the newest first. The rows come back in the order of their starts.
func DecodeImbalanceData(body io.Reader, window market.Period) (source.Reply[market.ImbalanceStep], error) {
	reply, err := decode(body, window, imbalanceShape, "imbalance_data", func(d *document, steps *steps[market.ImbalanceStep, int64]) error {
		return d.array(func() error {
			return d.object(func(key string) (bool, error) {
				switch key {
				case "values":
					return true, d.array(func() error { return decodeImbalance(d, steps) })
				case "start_date", "end_date", "resolution":
					return true, d.json.Skip()
				}
				return false, nil
			})
		})
	})
	if err != nil {
		return reply, err
	}
	for _, rows := range [][]market.ImbalanceStep{reply.Rows, reply.Refused} {
		slices.SortFunc(rows, func(a, b market.ImbalanceStep) int { return cmp.Compare(a.Start, b.Start) })
	}
	noteReversedPrices(&reply)
	return reply, nil
}

func decodeImbalance(d *document, steps *steps[market.ImbalanceStep, int64]) error {
	var row market.ImbalanceStep
	var period rowPeriod
	var bad string
	err := d.object(func(key string) (bool, error) {
		switch key {
		case "imbalance":
			return true, d.number(&row.ImbalanceMWh, &bad)
		case "system_trend":
			return true, d.systemTrend(&row.SystemTrend, &bad)
		case "positive_imbalance_settlement_price":
			return true, d.number(&row.PositivePrice, &bad)
		case "negative_imbalance_settlement_price":
			return true, d.number(&row.NegativePrice, &bad)
		case "missing_data_list":
			return true, d.missingData(&row.MissingData)
		case "updated_date", "update_date":
			return true, d.update(&row.Updated)
		}
		return period.field(d, key)
	})
	if err != nil {
		return err
	}
	start, taken := steps.startOf(market.ImbalancePrices, period, "a row")
	if !taken {
		return nil
	}
	date := steps.dateOf(start)
	if date.Before(firstImbalanceQuarters) {
		steps.reply.Refusals.RefuseFinally(market.ImbalancePrices, date,
			"steps before %s last half an hour, and an energy of half an hour cannot be split into quarter hours", firstImbalanceQuarters)
		return nil
	}
	// On the first date with quarter hours RTE gave some of them ends that were still 30 min after their starts: they last
	// until the next start all the same.
	if end := &period.end; date == firstImbalanceQuarters && end.Good && end.At == start+2*market.QuarterSeconds {
		end.At = start + market.QuarterSeconds
	}
	row.Start = start
	steps.addQuarter(market.ImbalancePrices, period, start, row, row.Updated, "", bad)
	return nil
}

// noteReversedPrices remarks on steps in which a party in surplus is paid more than a party in deficit pays.
func noteReversedPrices(reply *source.Reply[market.ImbalanceStep]) {
	var dates []market.DeliveryDate
	first, count := map[market.DeliveryDate]int64{}, map[market.DeliveryDate]int{}
	for _, row := range reply.Rows {
		if !row.PositivePrice.Valid || !row.NegativePrice.Valid || row.NegativePrice.V >= row.PositivePrice.V {
			continue
		}
		date := market.DeliveryDateOf(time.Unix(row.Start, 0))
		if count[date]++; count[date] == 1 {
			dates = append(dates, date)
			first[date] = row.Start
		}
	}
	for _, date := range dates {
		reply.Note("%s of %s: steps with a negative price below the positive one, served as published: %d, the first at %s",
			market.ImbalancePrices, date, count[date], source.InstantText(first[date]))
	}
}

// systemTrend reads the direction of the energy that was needed. A word for nothing is null, and withdraws a value.
func (d *document) systemTrend(into *market.String, bad *string) error {
	var odd string
	word, err := d.upperWord(&odd)
	way, known := systemTrends[word]
	switch {
	case odd != "":
		*bad = "system_trend: " + odd
	case isNothing(word):
		*into = market.String{Withdrawn: true}
	case known:
		*into = market.Str(string(way))
	default:
		*bad = fmt.Sprintf("system_trend %.40q is not known", word)
	}
	return err
}

// missingData reads which inputs RTE does not have yet. A word for nothing is null, and withdraws a text. What is no text is null with
// a remark: it is not worth the prices beside it.
func (d *document) missingData(into *market.String) error {
	const longest = 200
	var bad string
	read, err := d.text(&bad)
	switch text := oneLine(read); {
	case bad != "":
		*into = market.String{}
		d.note("missing_data_list: %s; it was taken as null", bad)
	case isNothing(text):
		*into = market.String{Withdrawn: true}
	case len(text) > longest:
		*into = market.Str(strings.ToValidUTF8(text[:longest], "") + "…")
	default:
		*into = market.Str(text)
	}
	return err
}

// oneLine returns a text in valid UTF-8 with single spaces between its words.
func oneLine(text []byte) string {
	valid := string([]rune(string(text)))
	return strings.Join(strings.FieldsFunc(valid, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}

// isNothing reports whether RTE writes the text where there is nothing.
func isNothing(text string) bool {
	return isInvalid([]byte(text)) || strings.EqualFold(text, "N/A") || strings.EqualFold(text, "none")
}
