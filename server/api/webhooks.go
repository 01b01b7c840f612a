package api

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/ingest/report"
	"courant/server/hooks"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

var (
	problemTooManyHooks = problemInvalidParameter.withDetail(
		"Un compte a au plus "+strconv.Itoa(store.MostHooks)+" webhooks et alertes : terminez-en un.",
		"An account has at most "+strconv.Itoa(store.MostHooks)+" webhooks and alerts: end one.")
	problemTooManyTests = problemRateLimited.withDetail(
		"Trop d'essais de ce webhook en une heure ; réessayez plus tard.", "Too many tests of this webhook within an hour; try again later.")
	problemHookDisabled = problemInvalidParameter.withDetail(
		"Ce webhook est désactivé : réactivez-le d'abord.", "This webhook is disabled: enable it first.")
	problemWebhookBody = problemInvalidParameter.withDetail(
		"Envoyez un objet JSON : {\"url\", \"events\": [{\"type\", \"dataset\", \"column\", \"keys\", \"threshold\"}], \"description\"}.",
		"Send an object in JSON: {\"url\", \"events\": [{\"type\", \"dataset\", \"column\", \"keys\", \"threshold\"}], \"description\"}.")
)

const (
	deliveriesOnAPage = 100
	mostDeliveries    = 1000
)

// deliveryParameters are the parameters of the list of deliveries.
var deliveryParameters = []queryParameter{
	{name: limitParameter, accepts: web.Text{FR: "un nombre entier de 1 à 1000", EN: "a whole number from 1 to 1000"}},
	{name: "cursor", accepts: web.Text{FR: "celui de « next », dans la page précédente", EN: "that of “next” in the page before"}},
}

// webhookAnswer is a webhook as the API answers it.
type webhookAnswer struct {
	ID             int64           `json:"id"`
	URL            string          `json:"url"`
	Events         []webhookEvent  `json:"events"`
	Description    string          `json:"description"`
	CreatedAt      report.Instant  `json:"created_at"`
	DisabledAt     *report.Instant `json:"disabled_at"`
	DisabledReason *string         `json:"disabled_reason"`
	Secret         string          `json:"secret,omitempty"` // of a new one
}

type webhookEvent struct {
	Type      hooks.Type              `json:"type"`
	Dataset   market.Dataset          `json:"dataset"`
	Column    *string                 `json:"column"`
	Keys      map[string]hooks.Values `json:"keys"`
	Threshold *float64                `json:"threshold"`
}

func webhookOf(hook store.Hook) (webhookAnswer, error) {
	answer := webhookAnswer{
		ID: hook.ID, URL: hook.URL, Events: []webhookEvent{}, Description: hook.Description, CreatedAt: report.Instant(hook.Created),
		DisabledAt: report.InstantOf(hook.Disabled), DisabledReason: orNil(hook.DisabledWhy),
	}
	events, err := hooks.EventsOf(hook)
	for _, e := range events {
		answer.Events = append(answer.Events, webhookEvent{e.Type, e.Dataset, orNil(e.Column), e.Keys, e.Threshold})
	}
	return answer, err
}

// orNil returns nil for an empty text.
func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// deliveryAnswer is a delivery as the API answers it.
type deliveryAnswer struct {
	ID            string                `json:"id"`
	Type          string                `json:"type"`
	Dataset       *string               `json:"dataset"`
	CreatedAt     report.Instant        `json:"created_at"`
	State         store.DeliveryOutcome `json:"state"`
	Attempts      int                   `json:"attempts"`
	LastAttemptAt *report.Instant       `json:"last_attempt_at"`
	NextAttemptAt *report.Instant       `json:"next_attempt_at"`
	Status        *int                  `json:"status"`
	Fault         *string               `json:"fault"`
}

func deliveryOf(d store.Delivery) deliveryAnswer {
	answer := deliveryAnswer{
		ID: d.ID, Type: d.Type, Dataset: orNil(string(d.Dataset)), CreatedAt: report.Instant(d.Created), State: d.Outcome,
		Attempts: d.Attempts, LastAttemptAt: report.InstantOf(d.Tried), NextAttemptAt: report.InstantOf(d.Next), Fault: orNil(d.Fault),
	}
	if d.Status != 0 {
		answer.Status = &d.Status
	}
	return answer
}

// webhookRoute adds a route about webhooks, for a session or a token for webhooks.
func (s *Server) webhookRoute(method, path string, handle func(echo.Context, auth.Identity) error) {
	handler := func(c echo.Context) error {
		identity, err := s.readerOf(c, nil)
		if err != nil {
			return err
		}
		if identity.TokenID != 0 {
			if err := refuseScope(identity, store.ScopeWebhooks); err != nil {
				return err
			}
		}
		if method != http.MethodGet {
			recordActor(c, identity)
		}
		return handle(c, identity)
	}
	if method == http.MethodGet {
		s.getData(path, handler)
		return
	}
	s.echo.Add(method, pattern(path), handler)
}

// webhookRoutes adds the routes of webhooks.
func (s *Server) webhookRoutes() {
	s.webhookRoute("GET", web.PathWebhooks, s.listWebhooks)
	s.webhookRoute("POST", web.PathWebhooks, s.addWebhook)
	s.webhookRoute("GET", web.PathWebhook, s.ofWebhook(s.webhook))
	s.webhookRoute("DELETE", web.PathWebhook, s.ofWebhook(s.deleteWebhook))
	s.webhookRoute("POST", web.PathWebhookTest, s.ofWebhook(s.testWebhook))
	s.webhookRoute("POST", web.PathWebhookSecret, s.ofWebhook(s.replaceWebhookSecret))
	s.webhookRoute("POST", web.PathWebhookEnable, s.ofWebhook(s.enableWebhook))
	s.webhookRoute("GET", web.PathDeliveries, s.ofWebhook(s.listDeliveries))
	s.webhookRoute("POST", web.PathResendDelivery, s.ofWebhook(s.resendDelivery))
}

// sendJSON sends an answer about webhooks, which is not to be stored.
func (s *Server) sendJSON(c echo.Context, status int, answer any) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return s.send(c, status, "application/json", body)
}

// ofWebhook makes a handler of one for the webhook that the path names, of the caller's account. Alerts by mail are not webhooks.
func (s *Server) ofWebhook(handle func(echo.Context, auth.Identity, store.Hook) error) func(echo.Context, auth.Identity) error {
	return func(c echo.Context, identity auth.Identity) error {
		id, err := strconv.ParseInt(c.Param("id"), 10, 64)
		if err != nil {
			return problemNotFound
		}
		hook, err := s.store.HookOf(c.Request().Context(), identity.AccountID, id)
		if err == nil && hook.URL == "" {
			err = problemNotFound
		}
		if err != nil {
			return problemOfHook(err)
		}
		return handle(c, identity, hook)
	}
}

// problemOfHook returns the problem of an error about a webhook or an alert; other errors are returned as they are.
func problemOfHook(err error) error {
	var input *hooks.InputError
	switch {
	case errors.As(err, &input):
		return problemInvalidParameter.withDetail(
			"« "+input.Field+" » accepte : "+input.Accepts.FR+".", "“"+input.Field+"” accepts: "+input.Accepts.EN+".")
	case errors.Is(err, store.ErrNotFound):
		return problemNotFound
	case errors.Is(err, hooks.ErrDisabled):
		return problemHookDisabled
	}
	return err
}

func (s *Server) listWebhooks(c echo.Context, identity auth.Identity) error {
	all, err := s.store.HooksOf(c.Request().Context(), identity.AccountID)
	if err != nil {
		return err
	}
	listed := []webhookAnswer{}
	for _, hook := range all {
		if hook.URL == "" {
			continue
		}
		answer, err := webhookOf(hook)
		if err != nil {
			return err
		}
		listed = append(listed, answer)
	}
	return s.sendJSON(c, http.StatusOK, map[string]any{"webhooks": listed})
}

// addWebhook makes a webhook and answers its secret, which no other answer has.
func (s *Server) addWebhook(c echo.Context, identity auth.Identity) error {
	var request hooks.Request
	decoder := json.NewDecoder(c.Request().Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&request)
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = problemWebhookBody
		}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return err
	case err != nil:
		return problemWebhookBody
	}
	if request.URL == "" {
		return problemOfHook(s.hooks.CheckURL(""))
	}
	request.Language = language(c)
	hook, err := s.hooks.Add(c.Request().Context(), identity, request)
	if errors.Is(err, store.ErrFull) {
		return problemTooManyHooks
	}
	if err != nil {
		return problemOfHook(err)
	}
	answer, err := webhookOf(hook)
	if err != nil {
		return err
	}
	answer.Secret = hook.Secret
	c.Response().Header().Set("Location", web.WebhookPath(hook.ID))
	return s.sendJSON(c, http.StatusCreated, answer)
}

func (s *Server) webhook(c echo.Context, _ auth.Identity, hook store.Hook) error {
	answer, err := webhookOf(hook)
	if err != nil {
		return err
	}
	return s.sendJSON(c, http.StatusOK, answer)
}

func (s *Server) deleteWebhook(c echo.Context, identity auth.Identity, hook store.Hook) error {
	if err := s.hooks.Delete(c.Request().Context(), identity, hook.ID); err != nil {
		return problemOfHook(err)
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) testWebhook(c echo.Context, identity auth.Identity, hook store.Hook) error {
	d, err := s.hooks.SendTest(c.Request().Context(), identity, hook.ID)
	if errors.Is(err, store.ErrFull) {
		return problemTooManyTests
	}
	if err != nil {
		return problemOfHook(err)
	}
	return s.sendJSON(c, http.StatusAccepted, deliveryOf(d))
}

func (s *Server) replaceWebhookSecret(c echo.Context, identity auth.Identity, hook store.Hook) error {
	secret, err := s.hooks.ReplaceSecret(c.Request().Context(), identity, hook.ID)
	if err != nil {
		return problemOfHook(err)
	}
	return s.sendJSON(c, http.StatusOK, map[string]string{"secret": secret})
}

func (s *Server) enableWebhook(c echo.Context, identity auth.Identity, hook store.Hook) error {
	if err := s.hooks.Enable(c.Request().Context(), identity, hook.ID); err != nil {
		return problemOfHook(err)
	}
	return s.ofWebhook(s.webhook)(c, identity) // as it is now
}

func (s *Server) listDeliveries(c echo.Context, _ auth.Identity, hook store.Hook) error {
	query := queryParser{parameters: deliveryParameters}
	if err := query.split(c.Request().URL.RawQuery); err != nil {
		return err
	}
	limit, err := query.count(limitParameter, deliveriesOnAPage, mostDeliveries)
	if err != nil {
		return err
	}
	before, err := query.count("cursor", 0, math.MaxInt64)
	if err != nil {
		return err
	}
	found, err := s.store.Deliveries(c.Request().Context(), hook.ID, before, int(limit)+1)
	if err != nil {
		return err
	}
	answer := deliveriesAnswer{Deliveries: []deliveryAnswer{}}
	for i, d := range found {
		if i == int(limit) {
			next := web.WebhookPath(hook.ID) + "/deliveries?limit=" + strconv.FormatInt(limit, 10) + "&cursor=" + strconv.FormatInt(found[i-1].Number, 10)
			answer.Next = &next
			c.Response().Header().Set("Link", "<"+next+`>; rel="next"`)
			break
		}
		answer.Deliveries = append(answer.Deliveries, deliveryOf(d))
	}
	return s.sendJSON(c, http.StatusOK, answer)
}

type deliveriesAnswer struct {
	Deliveries []deliveryAnswer `json:"deliveries"`
	Next       *string          `json:"next"`
}

func (s *Server) resendDelivery(c echo.Context, identity auth.Identity, hook store.Hook) error {
	d, err := s.hooks.Resend(c.Request().Context(), identity, hook.ID, c.Param("delivery"))
	if err != nil {
		return problemOfHook(err)
	}
	return s.sendJSON(c, http.StatusAccepted, deliveryOf(d))
}

// webhookReference describes the routes of webhooks.
func webhookReference() []web.Route {
	return web.WebhookRoutes(words(hooks.Types()), words(hooks.Faults()), words([]store.DeliveryOutcome{
		store.DeliveryWaiting, store.DeliveryDelivered, store.DeliveryFailed, store.DeliveryRefused,
	}))
}

// exampleWebhook and exampleDelivery are invented.
func exampleWebhook() webhookAnswer {
	dataset := pricesDataset()
	threshold, column := 0.0, hooks.PriceColumn(dataset).Name
	return webhookAnswer{
		ID: 7, URL: "https://receiver.example.org/courant", Description: "heat pump", CreatedAt: report.Instant(exampleDate.At(9, 0)),
		Events: []webhookEvent{{hooks.PriceBelow, dataset, &column, nil, &threshold}, {Type: hooks.DateComplete, Dataset: dataset}},
	}
}

func exampleDelivery() deliveryAnswer {
	status, at := http.StatusNoContent, report.Instant(exampleDate.At(13, 0))
	return deliveryAnswer{
		ID: "msg_K4V2QHZ5JX7N3B6TCDWLMPRSAE", Type: string(hooks.PriceBelow), Dataset: orNil(string(pricesDataset())), CreatedAt: at,
		State: store.DeliveryDelivered, Attempts: 1, LastAttemptAt: &at, Status: &status,
	}
}
