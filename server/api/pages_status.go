package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/ingest/report"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// calendarDates is how many delivery dates the calendar shows, tomorrow included.
const calendarDates = 36

// statusPage says how the feeds are doing.
func (s *Server) statusPage(c echo.Context, identity auth.Identity) error {
	feeds, err := s.feeds(c.Request().Context(), identity)
	if err != nil {
		return err
	}
	last := market.DeliveryDateOf(s.clock.Now()).Add(1)
	view := web.Status{Feeds: feeds, Dates: market.Dates(last.Add(1-calendarDates), last)}
	if view.Waiting, err = s.store.InQuarantine(c.Request().Context()); err != nil {
		return err
	}
	if identity.Admin {
		if view.Proposal, err = s.proposal(c, view.Waiting); err != nil {
			return err
		}
	}
	body, err := s.pages.Status(visit(c, identity), view)
	return s.page(c, http.StatusOK, body, err)
}

// proposal is what would be stored of what waits under the ID in the query, or of what has waited longest; nil if nothing
// waits. Its columns are named and scaled as the dataset's own endpoint does.
func (s *Server) proposal(c echo.Context, waiting []store.Quarantined) (*store.Proposal, error) {
	if len(waiting) == 0 {
		return nil, nil
	}
	id := waiting[0].ID
	for _, q := range waiting {
		if strconv.FormatInt(q.ID, 10) == c.QueryParam("waiting") {
			id = q.ID
		}
	}
	proposal, err := s.store.Proposal(c.Request().Context(), id)
	if errors.Is(err, store.ErrNotFound) { // decided just now
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range proposal.Values {
		column := &proposal.Values[i]
		served := servedColumns(proposal.Dataset)[column.Name]
		column.Name, column.Min, column.Max = served.name, served.scale(column.Min), served.scale(column.Max)
	}
	return &proposal, nil
}

// decideWaiting takes or drops what waits in quarantine under the ID in the path. What somebody else has decided
// meanwhile is left at that: the page shows what waits now.
func (s *Server) decideWaiting(c echo.Context, _ auth.Identity, fields url.Values) error {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return problemNotFound
	}
	event, known := map[string]auth.Event{"accept": auth.QuarantineAccepted, "reject": auth.QuarantineRejected}[fields.Get("decision")]
	if !known {
		return problemInvalidParameter
	}
	ctx := s.auth.Noting(c.Request().Context(), event, strconv.FormatInt(id, 10), "")
	if err := s.decide(ctx, id, event == auth.QuarantineAccepted); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return c.Redirect(http.StatusSeeOther, web.PageStatus.In(language(c)))
}

// feeds tells pages how the datasets are doing, once all bodies are built.
func (s *Server) feeds(ctx context.Context, identity auth.Identity) (web.Feeds, error) {
	if !s.bodies.ready() {
		return web.Feeds{}, problemUnavailable
	}
	found, err := s.report(ctx, identity.Admin)
	if err != nil {
		return web.Feeds{}, err
	}
	feeds := web.Feeds{At: s.clock.Now(), Differences: found.PriceDifferences, Corrections: found.Corrections, Clock: found.Clock}
	for _, dataset := range market.Datasets() {
		feed := web.Feed{Dataset: dataset}
		feed.Last, feed.ReadAt = s.bodies.news(dataset)
		for _, status := range found.Datasets {
			if status.Dataset == dataset {
				tell(&feed, status)
			}
		}
		feeds.All = append(feeds.All, feed)
	}
	return feeds, nil
}

// tell adds what is reported of a dataset to what is known of its data.
func tell(feed *web.Feed, status report.Status) {
	feed.Source, feed.State, feed.Gaps = status.Source, status.State, status.Missing
	feed.NewestEnd, feed.ChangedAt, feed.NextRunAt = report.TimeOf(status.NewestPeriodEnd), report.TimeOf(status.LastChangeAt), report.TimeOf(status.NextRunAt)
	if status.LastError != nil {
		feed.Error = *status.LastError
	}
	if status.FirstDate != nil {
		feed.First = *status.FirstDate
	}
}
