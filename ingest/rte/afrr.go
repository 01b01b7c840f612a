package rte

import (
	"fmt"
	"io"
	"time"

	"courant/ingest/source"
	"courant/store/market"
)

var afrrShape = shape[market.AFRRStep]{
	every:   market.AFRRSeconds,
	tooMany: source.TooManyOddSteps,
	numbers: afrrNumbers, flags: afrrFlags,
	series: func(*market.AFRRStep) (string, int64) { return "", market.AFRRSeconds },
}

func afrrNumbers(r *market.AFRRStep) []*market.Number {
	return []*market.Number{&r.UpwardPrice, &r.DownwardPrice, &r.DemandMW, &r.ForFranceMW, &r.InFranceMW}
}

func afrrFlags(r *market.AFRRStep) []*market.Flag {
	return []*market.Flag{&r.PicassoConnection, &r.ProrataMode}
}

// DecodeMarginalPrice reads a reply of afrr_marginal_price v5: days and steps newest first, each step a clock time in
// Paris without offset. On the day the clock goes back that is ambiguous from 02:00 to 03:00: the window decides if only
// one of the two hours is in it; if a reply lists both all the same, their order decides.
func DecodeMarginalPrice(body io.Reader, window market.Period) (source.Reply[market.AFRRStep], error) {
	return decode(body, window, afrrShape, "days", decodeDays)
}

func decodeDays(d *document, steps *steps[market.AFRRStep, int64]) error {
	listed := make([]wallStep, 0, steps.window.Seconds()/market.AFRRSeconds)
	return d.array(func() (err error) {
		listed, err = decodeDay(d, steps, listed[:0])
		return err
	})
}

// wallStep is a step whose instant is not known yet: row.Start is the clock time in seconds after midnight, negative if it
// cannot be read.
type wallStep struct {
	row     market.AFRRStep
	updated int64 // ms UTC
	bad     string
}

// decodeDay reads one day and places its steps, which it appends to listed.
func decodeDay(d *document, steps *steps[market.AFRRStep, int64], listed []wallStep) ([]wallStep, error) {
	var date market.DeliveryDate
	var named source.Stamp // the date, if it is not written as a date
	var updated int64
	err := d.object(func(key string) (bool, error) {
		switch key {
		case "start_date":
			var bad string
			text, err := d.text(&bad)
			if parsed, fault := market.ParseDeliveryDate(string(text)); fault == nil {
				date = parsed
			} else if bad != "" {
				named.Fault = bad
			} else if named = source.ReadStamp(text); named.Good || named.Fault != "" {
				named.Fault = fmt.Sprintf("%.40q is not a date", text)
			}
			return true, err
		case "update_date", "updated_date":
			return true, d.update(&updated)
		case "datas":
			return true, d.array(func() error {
				step, err := decodeWallStep(d)
				listed = append(listed, step)
				return err
			})
		}
		return false, nil
	})
	switch {
	case err != nil || len(listed) == 0:
	case date.IsZero():
		steps.misplaced(market.AFRREnergy, named, source.Stamp{}, "a day has no date")
	default:
		placeDay(date, listed, updated, steps)
	}
	return listed, err
}

func decodeWallStep(d *document) (wallStep, error) {
	step := wallStep{row: market.AFRRStep{Start: -1}}
	row := &step.row
	err := d.object(func(key string) (bool, error) {
		switch key {
		case "step":
			text, err := d.text(&step.bad)
			if seconds, ok := clockSeconds(text); ok {
				row.Start = seconds
			} else {
				step.bad = fmt.Sprintf("step %.40q is not a clock time", text)
			}
			return true, err
		case "upward_afrr_marginal_price":
			return true, d.number(&row.UpwardPrice, &step.bad)
		case "downward_afrr_marginal_price":
			return true, d.number(&row.DownwardPrice, &step.bad)
		case "pdemand":
			return true, d.number(&row.DemandMW, &step.bad)
		case "afrr_for_france":
			return true, d.number(&row.ForFranceMW, &step.bad)
		case "afrr_in_france":
			return true, d.number(&row.InFranceMW, &step.bad)
		case "picasso_connection":
			return true, d.flag(&row.PicassoConnection, key)
		case "prorata_mode":
			return true, d.flag(&row.ProrataMode, key)
		case "update_date", "updated_date":
			return true, d.update(&step.updated)
		}
		return false, nil
	})
	if row.Start < 0 && step.bad == "" {
		step.bad = "a step has no time"
	}
	return step, err
}

// clockSeconds reads HH:MM:SS as seconds after midnight.
func clockSeconds(text []byte) (int64, bool) {
	if len(text) != len("00:00:00") || text[2] != ':' || text[5] != ':' {
		return 0, false
	}
	two := func(i int) int64 {
		tens, units := text[i]-'0', text[i+1]-'0'
		if tens > 9 || units > 9 {
			return -1
		}
		return int64(tens)*10 + int64(units)
	}
	hour, minute, second := two(0), two(3), two(6)
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return 0, false
	}
	return hour*3600 + minute*60 + second, true
}

// placeDay finds the instant of each step of a day; updated is when the steps without a time of their own were last written,
// ms UTC.
func placeDay(date market.DeliveryDate, listed []wallStep, updated int64, steps *steps[market.AFRRStep, int64]) {
	if !date.Period().Overlaps(steps.window) {
		return
	}
	wall, err := newWallClock(date, listed, steps.window)
	if err != nil {
		steps.reply.Refusals.RefuseFinally(market.AFRREnergy, date, "%v", err)
		return
	}
	for i, step := range listed {
		if step.row.Start < 0 {
			steps.spoil(market.AFRREnergy, date, "%s", step.bad)
			continue
		}
		start, exists := wall.instant(i, step.row.Start)
		if !exists {
			steps.spoil(market.AFRREnergy, date, "step %s does not exist on that day", clockText(step.row.Start))
			continue
		}
		if !steps.window.Holds(start) {
			continue
		}
		if step.row.Start%market.AFRRSeconds != 0 {
			steps.spoil(market.AFRREnergy, date, "%s: it is not on the grid of 4 s", source.InstantText(start))
			continue
		}
		step.row.Start = start
		if step.updated == 0 {
			step.updated = updated
		}
		if step.bad != "" {
			steps.addOdd(market.AFRREnergy, start, start, step.row, step.updated, step.bad)
			continue
		}
		steps.add(market.AFRREnergy, start, start, step.row, step.updated)
	}
}

func clockText(seconds int64) string {
	return time.Unix(seconds, 0).UTC().Format(time.TimeOnly)
}
