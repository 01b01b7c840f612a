package store

import (
	"context"
	"database/sql"
	"errors"
	"math"

	"courant/store/market"
)

// packVersion is the schema between the one that has made afrr_energy_hour and the one that drops afrr_energy_row.
const packVersion = 10

// packRows moves the 4 s steps of before, a row each, into their hours. When a row last changed is not moved with it:
// it is when the last of its revisions was seen, else when it was seen first.
func packRows(ctx context.Context, tx *sql.Tx) error {
	rows := layoutOf(market.AFRR)
	rows.table = "afrr_energy_row"
	next, err := tx.PrepareContext(ctx, "SELECT start FROM afrr_energy_row WHERE start >= ? ORDER BY start LIMIT 1")
	if err != nil {
		return err
	}
	read, err := tx.PrepareContext(ctx, rows.selectRows(", first_seen_ms")+" WHERE start >= ? AND start < ? ORDER BY start")
	if err != nil {
		return err
	}
	insert, err := insertHours(ctx, tx)
	if err != nil {
		return err
	}
	var steps []heldStep
	for from := int64(math.MinInt64); ; {
		err := next.QueryRowContext(ctx, from).Scan(&from)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		start := market.HourOf(from)
		from = start + market.HourSeconds
		found, err := read.QueryContext(ctx, start, from)
		if err != nil {
			return err
		}
		steps = steps[:0]
		var firstSeen int64
		err = rows.scan(found, []any{&firstSeen}, func(row market.AFRRStep) { steps = append(steps, heldStep{row: row, firstSeen: firstSeen}) })
		if err != nil {
			return err
		}
		if err := insertHour(ctx, insert, start, steps); err != nil {
			return err
		}
	}
}
