package store

import (
	"context"
	"database/sql"
	"time"

	"courant/store/market"
)

// putClockReadings stores what a run read of the sources' clocks.
func putClockReadings(ctx context.Context, tx *sql.Tx, run *Run) error {
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
	var readings []market.ClockReading
	var reading market.ClockReading
	var ahead int64 // ms
	rows, err := s.reader.QueryContext(ctx, "SELECT host, ahead_ms, agreeing, read_ms FROM source_clock ORDER BY host")
	err = eachRow(rows, err, []any{&reading.Host, &ahead, &reading.Agreeing, instant{&reading.Read}}, func() error {
		reading.Ahead = time.Duration(ahead) * time.Millisecond
		readings = append(readings, reading)
		return nil
	})
	return readings, wrap("clock readings", err)
}
