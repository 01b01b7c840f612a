package api

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/web"
)

// proposal returns what accepting a waiting delivery date would store: the date with the ID in the query, else the one
// that has waited longest. It is nil if none waits. Columns have the names and units of the API.
func (s *Server) proposal(c echo.Context, waiting []store.Quarantined) (*web.Proposal, error) {
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
	view := &web.Proposal{
		Waiting: waitingLine(proposal.Quarantined), Rows: proposal.Rows, NewRows: proposal.NewRows,
		First: proposal.First, Last: proposal.Last,
	}
	columns := servedColumns(proposal.Dataset)
	for _, v := range proposal.Values {
		served := columns[v.Name]
		view.Values = append(view.Values, web.ProposedColumn{
			Name: served.Name, Given: v.Given, Min: served.Scale(v.Min), Max: served.Scale(v.Max),
			Arrived: v.Arrived(), Changed: v.Changed, Withdrawn: v.Withdrawn,
		})
	}
	return view, nil
}

func waitingLine(q store.Quarantined) web.Waiting {
	return web.Waiting{ID: q.ID, Dataset: q.Dataset, Date: q.Date, Kind: q.Kind, Reason: q.Reason, Seen: q.Seen}
}

// decideWaiting accepts or rejects the delivery date that waits under the ID in the path. If another administrator has
// decided on it meanwhile, that stands, and the page shows what waits now.
func (s *Server) decideWaiting(c echo.Context, _ auth.Identity, fields url.Values) error {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return problemNotFound
	}
	event, known := map[string]auth.Event{"accept": auth.QuarantineAccepted, "reject": auth.QuarantineRejected}[fields.Get("decision")]
	if !known {
		return problemInvalidParameter
	}
	ctx := c.Request().Context()
	note := s.auth.Note(ctx, event, strconv.FormatInt(id, 10), "")
	if err := s.decide(ctx, note, id, event == auth.QuarantineAccepted); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return c.Redirect(http.StatusSeeOther, web.PageStatus.In(language(c)))
}
