package market

import "slices"

// Dates lists the delivery dates of the dataset of which the batch has rows, in the order in which they come.
func (b Batch) Dates(dataset Dataset) []DeliveryDate {
	var dates []DeliveryDate
	b.each(func(d Dataset, date DeliveryDate) bool {
		if d == dataset && (len(dates) == 0 || dates[len(dates)-1] != date) && !slices.Contains(dates, date) {
			dates = append(dates, date)
		}
		return false
	})
	return dates
}

// Of is the part of the batch that is of one delivery date of a dataset.
func (b Batch) Of(dataset Dataset, date DeliveryDate) Batch {
	return b.each(func(d Dataset, on DeliveryDate) bool { return d == dataset && on == date })
}

// Without is the batch but for the rows of one delivery date of a dataset.
func (b Batch) Without(dataset Dataset, date DeliveryDate) Batch {
	return b.each(func(d Dataset, on DeliveryDate) bool { return d != dataset || on != date })
}

// each is the rows that are kept.
func (b Batch) each(keep func(Dataset, DeliveryDate) bool) Batch {
	return Batch{
		Prices:   rowsThat(PriceColumns, b.Prices, keep),
		Capacity: rowsThat(CapacityColumns, b.Capacity, keep),
		AFRR:     rowsThat(AFRRColumns, b.AFRR, keep),
		MFRR:     rowsThat(MFRRColumns, b.MFRR, keep),
	}
}

func rowsThat[R comparable](l Columns[R], rows []R, keep func(Dataset, DeliveryDate) bool) []R {
	var kept []R
	var calendar Calendar
	for i := range rows {
		if keep(l.Dataset(&rows[i]), calendar.DateOf(l.Start(&rows[i]))) {
			kept = append(kept, rows[i])
		}
	}
	return kept
}

// Withdraws says whether the batch has a null that its source wrote itself.
func (b Batch) Withdraws() bool {
	return withdraws(PriceColumns, b.Prices) || withdraws(CapacityColumns, b.Capacity) || withdraws(AFRRColumns, b.AFRR) || withdraws(MFRRColumns, b.MFRR)
}

func withdraws[R comparable](l Columns[R], rows []R) bool {
	for i := range rows {
		for _, field := range l.Fields(&rows[i])[len(l.Key):] {
			switch v := field.(type) {
			case *Number:
				if v.Withdrawn {
					return true
				}
			case *Flag:
				if v.Withdrawn {
					return true
				}
			}
		}
	}
	return false
}
