package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/ingest/report"
	"courant/server/lake"
	"courant/store/market"
	"courant/web"
)

const (
	// archiveWait is how long a request waits for files that are being made. They are made to the end in any case.
	archiveWait = 8 * time.Second
	// archiveRetry is the Retry-After of a request that has waited for so long.
	archiveRetry = 10 * time.Second
)

var (
	problemArchiveParameters = problemInvalidParameter.withDetail(
		"Les archives n’acceptent aucun paramètre.", "The archive accepts no parameters.")
	problemThinnedMonth = newProblem(web.ProblemGone).withDetail(
		"Les pas de 4 secondes d’une date de ce mois ont été supprimés ; /rows donne leurs moyennes avec resolution=PT5M.",
		"The 4 second steps of a date of this month were removed; /rows has their means with resolution=PT5M.")
	problemRange           = newProblem(web.ProblemRangeNotSatisfiable)
	problemPrecondition    = newProblem(web.ProblemPreconditionFailed)
	problemArchiveUnderWay = newProblem(web.ProblemUnavailable).retriedAfter(archiveRetry).withDetail(
		"Les fichiers sont en cours de préparation ; réessayez après Retry-After.",
		"The files are being prepared; try again after Retry-After.")
	problemArchiveNoRoom = newProblem(web.ProblemUnavailable).retriedAfter(time.Hour).withDetail(
		"Le disque du serveur est presque plein ; le fichier n’a pas pu être préparé.",
		"The server’s disk is nearly full; the file could not be prepared.")
)

// archivedFile is a month as the list of the archive describes it.
type archivedFile struct {
	Month  string `json:"month"`
	Rows   int    `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	ETag   string `json:"etag"` // as in the header
	Closed bool   `json:"closed"`
	Href   string `json:"href"`
}

func archiveTag(file lake.File) string { return `"` + file.SHA256[:32] + `"` }

// archiveList lists the files of a dataset's months. Those that have changed are made first.
func (s *Server) archiveList(c echo.Context) error {
	dataset, identity, err := s.archiveReader(c)
	if err != nil {
		return err
	}
	files, err := s.archived(c, identity, dataset, func(market.Month) bool { return true })
	if lake.IsUnread(err) {
		s.log.Error("months left out of the archive", "dataset", string(dataset), "error", strings.ReplaceAll(err.Error(), "\n", "; "))
		files, err = s.archive.Months(c.Request().Context(), dataset)
	}
	if err != nil {
		return err
	}
	found, err := s.report(c.Request().Context(), true)
	if err != nil {
		return err
	}
	list := []archivedFile{}
	for _, file := range files {
		if file.SHA256 == "" { // thinned, or unreadable
			continue
		}
		list = append(list, archivedFile{
			Month: file.Month.Month.String(), Rows: file.Rows, Bytes: file.Bytes, SHA256: file.SHA256, ETag: archiveTag(file),
			Closed: isClosed(found, dataset, file, s.clock.Now()), Href: web.ArchiveFilePath(dataset, file.Month.Month),
		})
	}
	body, err := json.Marshal(map[string][]archivedFile{"files": list})
	if err != nil {
		return err
	}
	setDataHeaders(c)
	return s.send(c, http.StatusOK, "application/json", body)
}

// archiveFile sends the file of a month.
func (s *Server) archiveFile(c echo.Context) error {
	dataset, identity, err := s.archiveReader(c)
	if err != nil {
		return err
	}
	name, isParquet := strings.CutSuffix(c.Param(archiveFileParameter), archiveFileSuffix)
	month, err := market.ParseMonth(name)
	if err != nil || !isParquet {
		return problemNotFound
	}
	for range 2 { // a commit may change the month, and a person may delete the file, between the two steps
		files, err := s.archived(c, identity, dataset, func(m market.Month) bool { return m == month })
		if err != nil {
			return err
		}
		at := slices.IndexFunc(files, func(f lake.File) bool { return f.Month.Month == month })
		if at < 0 {
			return problemNotFound
		}
		if files[at].Thinned {
			return problemThinnedMonth
		}
		err = s.sendArchived(c, dataset, files[at])
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		s.archive.Forget(files[at])
	}
	return problemUnavailable
}

// archiveFileParameter is how Echo names {month}.parquet: for it, a parameter is a whole part of the path.
const (
	archiveFileParameter = "month" + archiveFileSuffix
	archiveFileSuffix    = ".parquet"
)

// archiveReader returns the dataset of a request for its archive, and who may read it.
func (s *Server) archiveReader(c echo.Context) (market.Dataset, auth.Identity, error) {
	identity, err := s.reader(c)
	if err != nil {
		return "", identity, err
	}
	dataset, known := market.ParseDataset(c.Param("dataset"))
	if !known {
		return "", identity, problemNotFound
	}
	if err := identity.May(dataset); err != nil {
		return "", identity, err
	}
	if c.Request().URL.RawQuery != "" {
		return "", identity, problemArchiveParameters
	}
	return dataset, identity, nil
}

// archived returns the files of all months of a dataset; those of the wanted months are as their months are.
func (s *Server) archived(c echo.Context, identity auth.Identity, dataset market.Dataset, wanted func(market.Month) bool) ([]lake.File, error) {
	ctx := c.Request().Context()
	files, err := s.archive.Months(ctx, dataset)
	isMade := func(f lake.File) bool { return f.SHA256 != "" || f.Thinned || !wanted(f.Month.Month) }
	if err != nil || !slices.ContainsFunc(files, func(f lake.File) bool { return !isMade(f) }) {
		return files, err
	}
	if err := s.makeArchive(ctx, identity, dataset, wanted); err != nil {
		return nil, err
	}
	return s.archive.Months(ctx, dataset)
}

// makeArchive makes files in the background and waits for them. It counts as a long answer for as long as it takes.
func (s *Server) makeArchive(ctx context.Context, identity auth.Identity, dataset market.Dataset, wanted func(market.Month) bool) error {
	release, err := s.admitLong(identity, true)
	if err != nil {
		return err
	}
	made := make(chan error, 1)
	s.working.Go(func() {
		defer release()
		made <- s.archive.Make(s.stopped, dataset, wanted)
	})
	waiting, cancel := context.WithTimeout(ctx, s.archiveWait)
	defer cancel()
	select {
	case err = <-made:
	case <-waiting.Done():
		return problemArchiveUnderWay
	}
	if errors.As(err, new(lake.NoRoomError)) || errors.Is(err, syscall.ENOSPC) {
		s.log.Error("archive not made", "dataset", string(dataset), "error", err.Error())
		return problemArchiveNoRoom
	}
	return err
}

// sendArchived sends a file, or a part of it. The error is fs.ErrNotExist if it is no longer there, and nothing was sent.
func (s *Server) sendArchived(c echo.Context, dataset market.Dataset, file lake.File) error {
	opened, err := s.archive.Open(file)
	if err != nil {
		return err
	}
	defer opened.Close()
	found, err := s.report(c.Request().Context(), true)
	if err != nil {
		return err
	}
	setDataHeaders(c)
	header := c.Response().Header()
	if isClosed(found, dataset, file, s.clock.Now()) {
		header.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	header.Set("Content-Type", "application/vnd.apache.parquet")
	header.Set("Content-Disposition", attachment(dataset, file.Month.Month.String()+archiveFileSuffix, s.simulated))
	header.Set("Etag", archiveTag(file))
	header.Set("X-Courant-Position", strconv.FormatInt(int64(file.Position), 10))
	header.Set("X-Courant-Attribution", market.Attribution(dataset.About().Source))
	w := &archiveWriter{ResponseWriter: c.Response()}
	// Without a time, since two commits can come within its second.
	http.ServeContent(w, withBytesRange(c.Request()), "", time.Time{}, opened)
	if w.refused == nil {
		return nil
	}
	for _, name := range []string{"Etag", "Content-Disposition", "X-Courant-Position", "X-Courant-Attribution"} {
		header.Del(name)
	}
	if w.refused == problemRange {
		header.Set("Content-Range", fmt.Sprintf("bytes */%d", file.Bytes))
	}
	return w.refused
}

// withBytesRange returns the request as http.ServeContent has to see it: RFC 9110 ignores a Range header with a unit that is not known, and
// that of a method other than GET, and reads the unit in any case.
func withBytesRange(r *http.Request) *http.Request {
	unit, ranges, _ := strings.Cut(r.Header.Get("Range"), "=")
	r = r.Clone(r.Context())
	if r.Method == http.MethodGet && strings.EqualFold(unit, "bytes") {
		r.Header.Set("Range", "bytes="+ranges)
	} else {
		r.Header.Del("Range")
	}
	return r
}

// archiveWriter passes on what http.ServeContent answers, except its errors, which are not problems.
type archiveWriter struct {
	http.ResponseWriter
	refused *problem // nil: the answer is no error
}

func (w *archiveWriter) WriteHeader(status int) {
	isEmpty := w.Header().Get("Content-Length") == "0" // it takes the last 0 bytes for a part
	switch {
	case status == http.StatusPreconditionFailed:
		w.refused = problemPrecondition
	case status == http.StatusRequestedRangeNotSatisfiable, status == http.StatusPartialContent && isEmpty:
		w.refused = problemRange
	default:
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *archiveWriter) Write(p []byte) (int, error) {
	if w.refused != nil {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// isClosed reports whether a file is not expected to change any more: its month is over and complete, no date of it waits for a decision or
// will be read again, and all its values are final.
func isClosed(found report.Report, dataset market.Dataset, file lake.File, now time.Time) bool {
	month, about := file.Month.Month, dataset.About()
	isWithin := func(date market.DeliveryDate) bool { return market.MonthOf(date) == month }
	if found.Clock != nil && found.Clock.Wrong || now.Before(month.Last().Add(dataset.RereadDays()).End()) || !file.Final {
		return false
	}
	if file.Last != month.Last() || file.First != month.First() && !(isWithin(about.First) && file.First == about.First) {
		return false
	}
	for _, status := range found.Datasets {
		if status.Dataset == dataset && slices.ContainsFunc(status.Missing, func(m report.Missing) bool { return isWithin(m.Date) }) {
			return false
		}
	}
	return !slices.ContainsFunc(found.Quarantine, func(w report.Waiting) bool { return w.Dataset == dataset && isWithin(w.Date) })
}
