package lake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"

	"courant/server/api/format"
	"courant/store"
	"courant/store/backup/s3"
	"courant/store/market"
)

// Forms are the forms in which files are written.
func Forms() []format.Form {
	return []format.Form{format.Parquet, format.CSV, format.FrenchCSV, format.NDJSON, format.XLSX}
}

// Lake is the files in one place.
type Lake struct {
	store     *store.Store
	place     place
	simulated bool
}

// InFolder opens a folder, which has to exist, and locks it until Close. Files get the folder's access rights.
// The error is ErrInUse while another program writes to it. simulated states in each file that its values are invented.
func InFolder(db *store.Store, path string, simulated bool) (*Lake, error) {
	in, err := openFolder(db.Path(), path)
	if err != nil {
		return nil, err
	}
	return &Lake{store: db, place: in, simulated: simulated}, nil
}

// InBucket opens a bucket without calling its store. Each file is first written beside the database.
func InBucket(db *store.Store, in s3.Place, simulated bool) (*Lake, error) {
	opened, err := openBucket(db.Path(), in)
	if err != nil {
		return nil, err
	}
	return &Lake{store: db, place: opened, simulated: simulated}, nil
}

// Close unlocks a folder, and closes connections to a bucket.
func (l *Lake) Close() error { return l.place.close() }

// Request is what to bring up to date.
type Request struct {
	Dataset     market.Dataset
	First, Last market.Month // zero: all months with rows
	Form        format.Form
	Progress    func(Progress) // nil: it is not reported
}

// Progress is how far a request is.
type Progress struct {
	Dataset     market.Dataset
	Month       market.Month // that is being written
	Rows        int          // written of it so far
	Done, Total int          // months
}

// File is a month of a dataset.
type File struct {
	store.Month        // its Thinned months have no file that is kept up to date
	Path        string // in the folder, or after the prefix of the bucket; with slashes
	Rows        int
	Bytes       int64
	SHA256      string // hexadecimal
	Final       bool   // no row has a value that is only provisional
	Written     bool   // now; else it was up to date
}

func (f *File) describe(e entry) {
	f.Rows, f.Bytes, f.SHA256, f.Final = e.Rows, e.Bytes, e.SHA256, e.Final
}

// path returns where the file of a month is.
func path(dataset market.Dataset, month market.Month, form format.Form) string {
	year, number := month.Civil()
	name := "part." + form.Extension()
	if form == format.FrenchCSV { // beside the file of the form csv
		name = "part.fr." + form.Extension()
	}
	return fmt.Sprintf("%s/year=%04d/month=%02d/%s", datasetFolder(dataset), year, int(number), name)
}

func datasetFolder(dataset market.Dataset) string { return "dataset=" + string(dataset) }

// Update brings the files of a request up to date and returns one File for each month with rows. A month that holds a thinned date is
// left as it is. After an error the files so far are returned; what cannot be read is left out, and the other files are written.
func (l *Lake) Update(ctx context.Context, r Request) ([]File, error) {
	months, err := l.months(ctx, r)
	if err != nil {
		return nil, err
	}
	held, err := l.place.list(ctx, datasetFolder(r.Dataset)+"/")
	if err != nil {
		return nil, err
	}
	known, err := l.loadManifest(ctx, r.Dataset)
	if err != nil {
		return nil, err
	}
	if err := l.place.cleanUp(ctx, datasetFolder(r.Dataset)); err != nil {
		return nil, err
	}
	var files []File
	var unread []error
	for i, month := range months {
		report := func(rows int) {
			if r.Progress != nil {
				r.Progress(Progress{Dataset: r.Dataset, Month: month.Month, Rows: rows, Done: i, Total: len(months)})
			}
		}
		report(0)
		file, err := l.updateMonth(ctx, r, month, known, held, report)
		switch {
		case ctx.Err() != nil:
			return files, ctx.Err()
		case errors.As(err, new(readError)):
			unread = append(unread, err)
			continue
		case err != nil:
			return files, errors.Join(append(unread, err)...)
		}
		files = append(files, file)
	}
	if r.Progress != nil && len(months) > 0 {
		r.Progress(Progress{Dataset: r.Dataset, Month: months[len(months)-1].Month, Done: len(months), Total: len(months)})
	}
	return files, errors.Join(unread...)
}

// UpdateAll is Update for several datasets. If rows of one cannot be read, the others are still written.
// updated, if it is not nil, is called with the files of each dataset.
func (l *Lake) UpdateAll(ctx context.Context, datasets []market.Dataset, r Request, updated func(market.Dataset, []File)) ([]File, error) {
	var files []File
	var unread []error
	for _, r.Dataset = range datasets {
		made, err := l.Update(ctx, r)
		files = append(files, made...)
		if updated != nil && (err == nil || len(made) > 0) {
			updated(r.Dataset, made)
		}
		switch {
		case err == nil:
		case IsUnread(err):
			unread = append(unread, err)
		default:
			return files, errors.Join(append(unread, err)...)
		}
	}
	return files, errors.Join(unread...)
}

// months lists the months of a request.
func (l *Lake) months(ctx context.Context, r Request) ([]store.Month, error) {
	months, err := l.store.Months(ctx, r.Dataset)
	return slices.DeleteFunc(months, func(m store.Month) bool {
		return r.First != (market.Month{}) && m.Month.Before(r.First) || r.Last != (market.Month{}) && r.Last.Before(m.Month)
	}), err
}

// updateMonth writes the file of a month unless it is up to date, and notes it in the manifest.
func (l *Lake) updateMonth(ctx context.Context, r Request, month store.Month, known *manifest, held map[string]stored, report func(rows int)) (File, error) {
	file := File{Month: month, Path: path(r.Dataset, month.Month, r.Form)}
	if month.Thinned {
		return file, nil
	}
	head := format.HeadOf(r.Dataset)
	head.Simulated, head.Period = l.simulated, month.Month.Period()
	head.Position, head.GeneratedAt = int64(month.Position), month.Stamp
	want := entry{Position: head.Position, CommittedAt: head.GeneratedAt, Layout: layoutOf(head)}
	was, isKnown := known.Files[file.Path]
	if is, exists := held[file.Path]; isKnown && exists && was.isOf(want) && was.Bytes == is.bytes && was.Tag == is.tag {
		file.describe(was)
		return file, nil
	}
	made, err := l.write(ctx, file.Path, func(w *fileWriter) error {
		reading, err := l.store.Read(ctx, store.ReadQuery{Dataset: r.Dataset, Period: head.Period, At: month.Position})
		if err != nil {
			return readError{err}
		}
		wrote, err := writeRows(ctx, reading, head, r.Form, w, func(_ market.DeliveryDate, rows int) { report(rows) })
		want.Rows, want.Final = wrote.rows, wrote.final
		return err
	})
	if errors.Is(err, store.ErrThinned) { // meanwhile
		file.Thinned = true
		return file, nil
	}
	if err != nil {
		return file, fmt.Errorf("export to %s: %w", l.place.url(file.Path), explain(err))
	}
	want.Bytes, want.SHA256, want.Tag = made.bytes, made.sha256, made.tag
	file.describe(want)
	file.Written = true
	known.Files[file.Path] = want
	return file, l.saveManifest(ctx, r.Dataset, known)
}

// explain adds to the error of a full disk what to do about it.
func explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return errors.New("the disk is full: free some space and try again")
	}
	return err
}
