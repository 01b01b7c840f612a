package store

import (
	"context"
	"database/sql"
	"errors"
	"math"

	"courant/store/market"
)

// packVersion is the schema between the one that creates afrr_energy_hour and the one that drops afrr_energy_row.
const packVersion = 10

// packRows moves the 4 s steps of afrr_energy_row, one in each row, into packed hours. The time of a row's last change is
// left out: it is that of its last revision, or else the time at which the row was first seen.
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
		if _, err := insertHour(ctx, insert, start, steps); err != nil {
			return err
		}
	}
}
