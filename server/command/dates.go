package command

import (
	"courant/store/market"
)

// parseDate reads a DATE of the command line: YYYY-MM-DD, or yesterday, today or tomorrow in Paris.
func (p *Program) parseDate(text string) (market.DeliveryDate, error) {
	today := market.DeliveryDateOf(p.Clock.Now())
	switch text {
	case "yesterday":
		return today.Add(-1), nil
	case "today":
		return today, nil
	case "tomorrow":
		return today.Add(1), nil
	}
	date, err := market.ParseDeliveryDate(text)
	// 1970-01-01 is the zero date, which elsewhere means that there is no date.
	if err != nil || date.IsZero() {
		return market.DeliveryDate{}, usagef("%q is not a date: write YYYY-MM-DD, yesterday, today or tomorrow", text)
	}
	return date, nil
}

// parseDates reads --from and --to of a command that needs both.
func (p *Program) parseDates(command, from, to string) (first, last market.DeliveryDate, err error) {
	if from == "" || to == "" {
		return first, last, usagef("%s needs --from DATE and --to DATE, such as --from yesterday --to today", command)
	}
	if first, err = p.parseDate(from); err != nil {
		return first, last, err
	}
	if last, err = p.parseDate(to); err != nil {
		return first, last, err
	}
	if last.Before(first) {
		return first, last, usagef("--from %s is after --to %s: give the earlier date first", first, last)
	}
	return first, last, nil
}
