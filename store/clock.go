package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"courant/store/market"
)

// noteClocks keeps what a run read of the sources' clocks.
func noteClocks(ctx context.Context, tx *sql.Tx, run *Run) error {
	for _, r := range run.Clocks {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO source_clock (host, ahead_ms, agreeing, read_ms) VALUES (?1, ?2, 1, ?3)
			ON CONFLICT (host) DO UPDATE SET ahead_ms = ?2, read_ms = ?3, agreeing = iif(abs(ahead_ms - ?2) <= ?4, agreeing + 1, 1)`,
			r.Host, r.Ahead.Milliseconds(), run.Ended.UnixMilli(), market.ClockTolerance.Milliseconds())
		if err != nil {
			return err
		}
	}
	return nil
}

// ClockReadings lists the newest reading of each source's clock, by host.
func (s *Store) ClockReadings(ctx context.Context) ([]market.ClockReading, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT host, ahead_ms, agreeing, read_ms FROM source_clock ORDER BY host")
	if err != nil {
		return nil, fmt.Errorf("store: clock readings: %w", err)
	}
	defer rows.Close()
	var readings []market.ClockReading
	for rows.Next() {
		var r market.ClockReading
		var ahead, read int64
		if err := rows.Scan(&r.Host, &ahead, &r.Agreeing, &read); err != nil {
			return nil, fmt.Errorf("store: clock readings: %w", err)
		}
		r.Ahead, r.Read = time.Duration(ahead)*time.Millisecond, milliseconds(read)
		readings = append(readings, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: clock readings: %w", err)
	}
	return readings, nil
}
