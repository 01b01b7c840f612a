package store

import (
	"context"
	"database/sql"
	"time"

	"courant/store/market"
)

// Note is one line of the audit log. It holds no secret.
type Note struct {
	ID      int64
	At      time.Time
	Event   string
	Actor   string // who did it; empty: somebody who has not signed in
	Subject string // the account, token or date it was done to; may be empty
	Detail  string // may be empty
	Origin  string // network address of the client; empty: this machine

	// MostADay limits the lines of this event by this actor on one day in Paris: the newest of them counts the rest. 0: no
	// limit.
	MostADay int
	More     int64 // how many events like this one followed on its day without a line of their own
}

// insertNote adds a note to the audit log; the zero Note adds nothing.
func insertNote(ctx context.Context, tx *sql.Tx, note Note) error {
	if note == (Note{}) {
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

// countNote counts the note in the newest line like it and returns true, if its day already has MostADay of them.
func countNote(ctx context.Context, tx *sql.Tx, note Note) (counted bool, err error) {
	day := market.DeliveryDateOf(note.At)
	const like = "FROM audit WHERE actor = ?1 AND event = ?2 AND at_ms >= ?3 AND at_ms < ?4"
	args := []any{note.Actor, note.Event, day.Start().UnixMilli(), day.End().UnixMilli(), note.MostADay}
	var lines int
	err = tx.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 "+like+" LIMIT ?5)", args...).Scan(&lines)
	if err != nil || lines < note.MostADay {
		return false, err
	}
	_, err = tx.ExecContext(ctx,
		"UPDATE audit SET more = more + 1 WHERE id = (SELECT id "+like+" ORDER BY at_ms DESC, id DESC LIMIT 1)", args[:4]...)
	return true, err
}

// AddNote adds a note that goes with no change.
func (s *Store) AddNote(ctx context.Context, note Note) error {
	return wrap("audit", s.write(ctx, func(tx *sql.Tx) error { return insertNote(ctx, tx, note) }))
}

// Notes lists at most limit notes, newest first: those older than the one with the ID before, or of all if before is 0.
func (s *Store) Notes(ctx context.Context, before int64, limit int) ([]Note, error) {
	rows, err := s.reader.QueryContext(ctx, `
		SELECT id, at_ms, event, actor, subject, detail, origin, more FROM audit
		WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2`, before, limit)
	notes, err := collect(rows, err, func(n *Note) []any {
		return []any{&n.ID, instant{&n.At}, &n.Event, &n.Actor, &n.Subject, &n.Detail, &n.Origin, &n.More}
	})
	return notes, wrap("audit", err)
}
