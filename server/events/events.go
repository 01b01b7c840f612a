package events

import (
	"context"
	"errors"
	"slices"
	"time"

	"courant/ingest/report"
	"courant/store"
	"courant/store/market"
)

const (
	// MostRows is the largest number of rows that a Change has.
	MostRows = 500
	// MostRevisions is the largest number of revisions that a Change has.
	MostRevisions = 500
)

// Commit is what one commit changed.
type Commit struct {
	Position store.Position
	At       time.Time // its stamp
	Changes  []Change  // one for each dataset, in the order of market.Datasets
}

// Change is what a commit changed of a dataset. It may be without rows and revisions: what was stored is not served.
type Change struct {
	Dataset market.Dataset
	Period  market.Period // from the start of the first row that changed to the end of the last one
	Count   int           // rows that are new, changed or thinned
	// Rows are the rows that are new or have changed, as they were after the commit, in the order in which they are served; none
	// if there are more than MostRows.
	Rows market.Chunk
	// IsCut reports whether other rows changed too: there were too many, or they cannot be told from those that did not change.
	IsCut bool
	// Revisions are the values that changed, by period, series and column; none if there are more than MostRevisions.
	Revisions          []store.Revision
	HasMoreRevisions   bool                  // than MostRevisions
	Completed, Changed []market.DeliveryDate // ascending: dates that are complete since the commit; dates with rows that changed
}

// After reads the commits after a position in order: at least one if there is one, and no more once they have that many changed
// delivery dates. The error is store.ErrChangesPruned if the changes of one of the commits are no longer listed.
func After(ctx context.Context, db *store.Store, after store.Position, most int) ([]Commit, error) {
	listed, err := db.Changes(ctx, after, most)
	if err != nil {
		return nil, err
	}
	var commits []Commit
	for len(listed) > 0 {
		n := 1
		for n < len(listed) && listed[n].Position == listed[0].Position {
			n++
		}
		commit := Commit{Position: listed[0].Position, At: listed[0].Stamp}
		for dates := listed[:n]; len(dates) > 0; {
			n := 1
			for n < len(dates) && dates[n].Dataset == dates[0].Dataset {
				n++
			}
			change, err := read(ctx, db, dates[:n])
			if err != nil {
				return nil, err
			}
			commit.Changes = append(commit.Changes, change)
			dates = dates[n:]
		}
		commits = append(commits, commit)
		listed = listed[n:]
	}
	return commits, nil
}

// read reads what a commit changed of a dataset on these delivery dates.
func read(ctx context.Context, db *store.Store, dates []store.Change) (Change, error) {
	commit, step := dates[0], dates[0].Dataset.Series().StepSeconds()
	change := Change{Dataset: commit.Dataset, Period: market.Period{Start: commit.First, End: commit.Last + step}}
	for _, date := range dates {
		change.Period.Start = min(change.Period.Start, date.First)
		change.Period.End = max(change.Period.End, date.Last+step)
		change.Count += date.Rows
		change.Changed = append(change.Changed, date.Date)
		if date.Completed {
			change.Completed = append(change.Completed, date.Date)
		}
	}
	isFew := change.Count <= MostRows
	// A price that is stored may not be served: then it changes no row.
	isPrice := change.Dataset == market.DayAheadPrices
	var starts []int64
	if isFew || isPrice {
		rows, err := readRows(ctx, db, change, commit.Position)
		switch {
		case errors.Is(err, store.ErrThinned): // since then
			change.IsCut = true
		case err != nil:
			return Change{}, err
		case isPrice:
			starts, change.Count = rows.Starts, rows.Len()
			isFew = change.Count <= MostRows
		}
		if isFew {
			change.Rows = rows
		}
	}
	change.IsCut = change.IsCut || change.Rows.Len() < change.Count
	if change.Count == 0 {
		return change, nil
	}
	revisions, err := readRevisions(ctx, db, change, commit.Stamp, starts, MostRevisions+1)
	change.HasMoreRevisions = len(revisions) > MostRevisions
	if !change.HasMoreRevisions {
		change.Revisions = revisions
	}
	return change, err
}

// readRows reads the rows that a commit changed, as they were after it.
func readRows(ctx context.Context, db *store.Store, change Change, position store.Position) (rows market.Chunk, err error) {
	reading, err := db.Read(ctx, store.ReadQuery{
		Dataset: change.Dataset, Period: change.Period, At: position, UpdatedSince: position - 1,
	})
	if err != nil {
		return market.Chunk{}, err
	}
	for chunk, err := range reading.Chunks(ctx) {
		if err != nil {
			return market.Chunk{}, err
		}
		rows.Append(chunk)
	}
	return rows, nil
}

// allRevisions is more than a commit has.
const allRevisions = 1 << 30

// Revisions reads all values that a commit changed of a dataset, also if they are too many for its Change.
func Revisions(ctx context.Context, db *store.Store, commit Commit, change Change) ([]store.Revision, error) {
	var starts []int64
	if change.Dataset == market.DayAheadPrices {
		rows, err := readRows(ctx, db, change, commit.Position)
		if err != nil {
			return nil, err
		}
		starts = rows.Starts
	}
	return readRevisions(ctx, db, change, commit.At, starts, allRevisions)
}

// readRevisions reads the first values that the commit with a stamp changed, at most so many. Of prices, starts has the starts
// of the served rows, and only revisions of the stored prices from which these are made are read; nil: all are.
func readRevisions(ctx context.Context, db *store.Store, change Change, stamp time.Time, starts []int64, most int) ([]store.Revision, error) {
	mostRead := most
	if starts != nil {
		mostRead = allRevisions
	}
	// A price of an hour may begin before the first of its quarters that is served.
	period := market.Period{Start: change.Period.Start - market.HourSeconds + change.Dataset.Series().StepSeconds(), End: change.Period.End}
	revisions, err := db.RevisionsOfCommit(ctx, change.Dataset, period, stamp, mostRead)
	if starts == nil {
		return revisions, err
	}
	revisions = slices.DeleteFunc(revisions, func(r store.Revision) bool {
		at, _ := slices.BinarySearch(starts, r.Start)
		return at == len(starts) || starts[at] >= r.Start+market.SecondsOfPrices(r.Series)
	})
	return revisions[:min(len(revisions), most)], err
}

// StateChange is a dataset that has come into another state.
type StateChange struct {
	Dataset market.Dataset
	State   report.State
	Reason  report.Reason // why the newest delivery date that is missing is so; empty if none is
}

// StateChanges returns the datasets that are not in the state in which they were in the report before, which may be the zero Report.
func StateChanges(before, after report.Report) []StateChange {
	known := map[market.Dataset]report.State{}
	for _, status := range before.Datasets {
		known[status.Dataset] = status.State
	}
	var changes []StateChange
	for _, status := range after.Datasets {
		if known[status.Dataset] == status.State {
			continue
		}
		change := StateChange{Dataset: status.Dataset, State: status.State}
		if n := len(status.Missing); n > 0 && status.State != report.StateOK {
			change.Reason = status.Missing[n-1].Reason
		}
		changes = append(changes, change)
	}
	return changes
}
