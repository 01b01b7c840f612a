package api

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/ingest/report"
	"courant/store/market"
	"courant/web"
)

// calendarDates is how many delivery dates the calendar shows, up to tomorrow.
const calendarDates = 36

// statusPage shows the state of the feeds.
func (s *Server) statusPage(c echo.Context, identity auth.Identity) error {
	feeds, err := s.feeds(c.Request().Context(), identity)
	if err != nil {
		return err
	}
	last := market.DeliveryDateOf(s.clock.Now()).Add(1)
	view := web.Status{Feeds: feeds, Dates: market.Dates(last.Add(1-calendarDates), last)}
	waiting, err := s.store.InQuarantine(c.Request().Context())
	if err != nil {
		return err
	}
	for _, date := range waiting {
		view.Waiting = append(view.Waiting, waitingLine(date))
	}
	if identity.Admin {
		if view.Proposal, err = s.proposal(c, waiting); err != nil {
			return err
		}
	}
	body, err := s.pages.Status(visit(c, identity), view)
	return s.page(c, http.StatusOK, body, err)
}

// feeds returns the state of the datasets as pages show it; problemUnavailable until all bodies are built.
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
		feed.Last, feed.ReadAt = s.bodies.latest(dataset)
		for _, status := range found.Datasets {
			if status.Dataset == dataset {
				addStatus(&feed, status)
			}
		}
		feeds.All = append(feeds.All, feed)
	}
	return feeds, nil
}

// addStatus copies the report on a dataset into its feed.
func addStatus(feed *web.Feed, status report.Status) {
	feed.Source, feed.State, feed.Gaps, feed.Trouble = status.Source, status.State, status.Missing, status.Trouble
	feed.NewestEnd, feed.ChangedAt = report.TimeOf(status.NewestPeriodEnd), report.TimeOf(status.LastChangeAt)
	feed.NextRunAt = report.TimeOf(status.NextRunAt)
	if status.LastError != nil {
		feed.Error = *status.LastError
	}
	if status.FirstDate != nil {
		feed.First = *status.FirstDate
	}
}
