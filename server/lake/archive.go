package lake

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"courant/server/api/format"
	"courant/store"
	"courant/store/market"
)

// archiveSuffix follows the name of the database in the name of the folder with the archive.
const archiveSuffix = ".archive"

// Archive is the Parquet files of all months in a folder beside the database that only its owner can read. A file is made when it is
// asked for, and again once a commit has changed its month. It is safe for concurrent use.
type Archive struct {
	store     *store.Store
	simulated bool

	making chan struct{} // has a value while files are made
	lake   *Lake         // nil until files are made

	mu    sync.RWMutex
	known map[string]File // by path: what the files in the folder are
}

// NewArchive returns the archive of a database. simulated states in each file that its values are invented.
func NewArchive(db *store.Store, simulated bool) *Archive {
	return &Archive{store: db, simulated: simulated, making: make(chan struct{}, 1), known: map[string]File{}}
}

// Close releases the folder.
func (a *Archive) Close() error {
	if a.lake == nil {
		return nil
	}
	return a.lake.Close()
}

// Months lists the months of a dataset. A file that is not made yet, or is out of date, has only its store.Month and its path.
func (a *Archive) Months(ctx context.Context, dataset market.Dataset) ([]File, error) {
	months, err := a.store.Months(ctx, dataset)
	if err != nil {
		return nil, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	var files []File
	for _, month := range months {
		file := File{Month: month, Path: path(dataset, month.Month, format.Parquet)}
		if known, is := a.known[file.Path]; is && known.isOf(month) {
			file = known
		}
		files = append(files, file)
	}
	return files, nil
}

// isOf reports whether the file has been made and shows the month as it is.
func (f File) isOf(month store.Month) bool {
	return f.SHA256 != "" && !month.Thinned && f.Position == month.Position && f.Stamp.Equal(month.Stamp)
}

// Make makes the missing files of the months for which wanted returns true, and those that are out of date, and removes those of thinned
// months. If a month cannot be read, the others are still made.
func (a *Archive) Make(ctx context.Context, dataset market.Dataset, wanted func(market.Month) bool) error {
	files, err := a.Months(ctx, dataset)
	if err != nil {
		return err
	}
	var unread []error
	for _, file := range files {
		if file.SHA256 != "" || !wanted(file.Month.Month) {
			continue
		}
		if file.Thinned {
			err = a.remove(file)
		} else {
			err = a.makeMonth(ctx, dataset, file.Month.Month)
		}
		switch {
		case IsUnread(err):
			unread = append(unread, err)
		case err != nil:
			return errors.Join(append(unread, err)...)
		}
	}
	return errors.Join(unread...)
}

// remove removes the file of a month if there is one.
func (a *Archive) remove(file File) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.known, file.Path)
	return ignoreMissing(os.Remove(a.file(file)))
}

func (a *Archive) file(file File) string {
	return filepath.Join(a.store.Path()+archiveSuffix, filepath.FromSlash(file.Path))
}

func (a *Archive) makeMonth(ctx context.Context, dataset market.Dataset, month market.Month) error {
	select {
	case a.making <- struct{}{}:
		defer func() { <-a.making }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := a.open(); err != nil {
		return err
	}
	files, err := a.lake.Update(ctx, Request{Dataset: dataset, First: month, Last: month, Form: format.Parquet})
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, file := range files {
		a.known[file.Path] = file
	}
	return err
}

// open opens the folder, which it makes if there is none: a person may delete it at any time.
func (a *Archive) open() error {
	folder := a.store.Path() + archiveSuffix
	if a.lake != nil {
		_, err := os.Lstat(filepath.Join(folder, filepath.FromSlash(lockPath)))
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		_ = a.lake.Close() // a lock that is gone
		a.lake = nil
	}
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	in, err := openFolder(a.store.Path(), folder)
	if err != nil {
		return err
	}
	a.lake = &Lake{store: a.store, place: archivePlace{in, a}, simulated: a.simulated}
	return nil
}

// Open opens a file that Months has described. The error is fs.ErrNotExist if it has been made again since, is missing or has another size.
func (a *Archive) Open(file File) (*os.File, error) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.known[file.Path] != file {
		return nil, fs.ErrNotExist
	}
	opened, err := os.Open(a.file(file))
	if err != nil {
		return nil, err
	}
	info, err := opened.Stat()
	if err == nil && info.Size() != file.Bytes {
		err = fs.ErrNotExist
	}
	if err != nil {
		opened.Close()
		return nil, err
	}
	return opened, nil
}

// Forget makes the next Make look at the file again.
func (a *Archive) Forget(file File) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known[file.Path] == file {
		delete(a.known, file.Path)
	}
}

// archivePlace is the folder of an archive. A file is no longer known from the moment at which it is replaced, so that what Open opens
// is what Months has described.
type archivePlace struct {
	*folder
	archive *Archive
}

func (p archivePlace) put(ctx context.Context, file *store.UnfinishedFile, path string) (stored, error) {
	p.archive.mu.Lock()
	defer p.archive.mu.Unlock()
	delete(p.archive.known, path)
	return p.folder.put(ctx, file, path)
}
