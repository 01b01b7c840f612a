package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"courant/store/market"
)

// Note is a line of the audit log. It holds no secret.
type Note struct {
	ID      int64
	At      time.Time
	Event   string
	Actor   string // who did it; empty: nobody who is known
	Subject string // to whom or what; may be empty
	Detail  string // may be empty
	Origin  string // the network address that it came from; empty: this machine

	// MostADay is how many lines there may be of this event by this actor on one day in Paris; the last one counts the
	// others. 0: as many as there are.
	MostADay int
	More     int64 // events like this one that followed on its day and have no line of their own
}

type noteKey struct{}

// Noting has the change that is made with the context leave a note in the audit log, in the same transaction.
func Noting(ctx context.Context, note Note) context.Context {
	return context.WithValue(ctx, noteKey{}, note)
}

// withDetail has the context's note, if it has one, say more.
func withDetail(ctx context.Context, detail string) context.Context {
	note, noting := ctx.Value(noteKey{}).(Note)
	if !noting {
		return ctx
	}
	note.Detail = detail
	return Noting(ctx, note)
}

// noteChange writes the context's note, if it has one.
func noteChange(ctx context.Context, tx *sql.Tx) error {
	note, noting := ctx.Value(noteKey{}).(Note)
	if !noting {
		return nil
	}
	if note.MostADay > 0 {
		if counted, err := countNote(ctx, tx, note); err != nil || counted {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO audit (at_ms, event, actor, subject, detail, origin) VALUES (?, ?, ?, ?, ?, ?)",
		note.At.UnixMilli(), note.Event, note.Actor, note.Subject, note.Detail, note.Origin)
	return err
}

// countNote counts a note in the newest line like it, if the day has as many of them as it may.
func countNote(ctx context.Context, tx *sql.Tx, note Note) (counted bool, err error) {
	day := market.DeliveryDateOf(note.At)
	const like = "FROM audit WHERE actor = ?1 AND event = ?2 AND at_ms >= ?3 AND at_ms < ?4"
	args := []any{note.Actor, note.Event, day.Start().UnixMilli(), day.End().UnixMilli(), note.MostADay}
	var lines int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 "+like+" LIMIT ?5)", args...).Scan(&lines); err != nil || lines < note.MostADay {
		return false, err
	}
	_, err = tx.ExecContext(ctx, "UPDATE audit SET more = more + 1 WHERE id = (SELECT id "+like+" ORDER BY at_ms DESC, id DESC LIMIT 1)", args[:4]...)
	return true, err
}

// AddNote leaves a note of something that changed nothing else.
func (s *Store) AddNote(ctx context.Context, note Note) error {
	err := s.write(Noting(ctx, note), func(*sql.Tx) error { return nil })
	if err != nil {
		return fmt.Errorf("store: audit: %w", err)
	}
	return nil
}

// Notes lists at most limit notes, the newest first, of those older than the one with the ID before; 0: of all.
func (s *Store) Notes(ctx context.Context, before int64, limit int) ([]Note, error) {
	rows, err := s.reader.QueryContext(ctx, `
		SELECT id, at_ms, event, actor, subject, detail, origin, more FROM audit
		WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2`, before, limit)
	if err != nil {
		return nil, fmt.Errorf("store: audit: %w", err)
	}
	defer rows.Close()
	var notes []Note
	for rows.Next() {
		var note Note
		var at int64
		if err := rows.Scan(&note.ID, &at, &note.Event, &note.Actor, &note.Subject, &note.Detail, &note.Origin, &note.More); err != nil {
			return nil, fmt.Errorf("store: audit: %w", err)
		}
		note.At = milliseconds(at)
		notes = append(notes, note)
	}
	return notes, rows.Err()
}
