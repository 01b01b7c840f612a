package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/server/hooks"
	"courant/store"
	"courant/web"
)

// deliveriesOnAlertPage is how many deliveries a page of an alert lists.
const deliveriesOnAlertPage = 50

// alertEvent is an event that a person can choose, and the types of events for which it stands.
type alertEvent struct {
	value  string
	fr, en string
	types  []hooks.Type
}

// alertEvents are all of them.
var alertEvents = []alertEvent{
	{"negative", "un prix d’une date de livraison est négatif", "a price of a delivery date is negative", []hooks.Type{hooks.PriceNegative}},
	{"below", "un prix d’une date de livraison est sous le seuil", "a price of a delivery date is below the threshold",
		[]hooks.Type{hooks.PriceBelow}},
	{"above", "un prix d’une date de livraison est au-dessus du seuil", "a price of a delivery date is above the threshold",
		[]hooks.Type{hooks.PriceAbove}},
	{"complete", "une date de livraison est entière", "a delivery date is complete", []hooks.Type{hooks.DateComplete}},
	{"late", "le flux est en retard, puis rétabli", "the feed is late, and has recovered", []hooks.Type{hooks.FeedLate, hooks.FeedRecovered}},
	{"revised", "des valeurs sont corrigées (webhook seulement)", "values are revised (webhooks only)", []hooks.Type{hooks.RowsRevised}},
}

// alertRoutes adds the pages of alerts and their forms.
func (s *Server) alertRoutes() {
	s.getPage(web.PageAlerts, s.requireSignIn(s.alertsPage))
	s.getPage(web.PageAlert, s.requireSignIn(s.alertPage))
	s.getPage(web.PageEndAlert, s.endAlertPage)
	s.post(web.FormAlert, s.signedInForm(web.PageAlerts, s.addAlert))
	s.post(web.FormEndAlert, s.endAlert)
	for form, change := range map[*web.Form]func(echo.Context, auth.Identity, int64, url.Values) error{
		&web.FormDeleteAlert: s.deleteAlert, &web.FormTestAlert: s.testAlert, &web.FormEnableAlert: s.enableAlert,
		&web.FormAlertSecret: s.replaceAlertSecret, &web.FormResend: s.resendAlert,
	} {
		s.post(*form, s.signedInForm(web.PageAlerts, func(c echo.Context, identity auth.Identity, fields url.Values) error {
			id, err := strconv.ParseInt(c.Param("id"), 10, 64)
			if err != nil {
				return problemNotFound
			}
			return change(c, identity, id, fields)
		}))
	}
}

func (s *Server) alertsPage(c echo.Context, identity auth.Identity) error {
	return s.showAlerts(c, identity, http.StatusOK, web.Alerts{}, nil)
}

// showAlerts shows the alerts of an account and the form for a new one, with what was typed.
func (s *Server) showAlerts(c echo.Context, identity auth.Identity, status int, view web.Alerts, fields url.Values) error {
	all, err := s.store.HooksOf(c.Request().Context(), identity.AccountID)
	if err != nil {
		return err
	}
	for _, hook := range all {
		view.Alerts = append(view.Alerts, alertLine(hook))
	}
	view.Email, view.MailOff = identity.Email, s.mail == nil
	if len(all) >= store.MostHooks {
		view.Full = problemTooManyHooks.Detail
	}
	view.Threshold, view.By, view.URL = fields.Get("threshold"), fields.Get("by"), fields.Get("url")
	view.Description = fields.Get("description")
	for _, e := range alertEvents {
		view.Events = append(view.Events, web.Option{Value: e.value, Text: web.Text{FR: e.fr, EN: e.en}, Selected: e.value == fields.Get("event")})
	}
	for _, choice := range hooks.Choices() {
		view.Series = append(view.Series, web.Option{Value: choice.Value, Text: choice.Text, Selected: choice.Value == fields.Get("series")})
	}
	body, err := s.pages.Alerts(visit(c, identity), view)
	return s.page(c, status, body, err)
}

func alertLine(hook store.Hook) web.AlertLine {
	line := web.AlertLine{
		ID: hook.ID, Host: hooks.HostOf(hook.URL), Description: hook.Description, Created: hook.Created, Disabled: hook.Disabled,
		Why: hooks.Fault(hook.DisabledWhy).Text(),
	}
	events, err := hooks.EventsOf(hook)
	if err != nil { // a later version wrote it
		line.What = []web.Text{{FR: "?", EN: "?"}}
	}
	for _, e := range events {
		line.What = append(line.What, e.Text())
	}
	return line
}

// addAlert makes an alert or a webhook. The secret of a webhook is shown once, on its page.
func (s *Server) addAlert(c echo.Context, identity auth.Identity, fields url.Values) error {
	request, err := alertRequest(fields)
	if err == nil && request.URL == "" && s.mail == nil {
		err = errFormMail
	}
	var hook store.Hook
	if err == nil {
		request.Language = language(c)
		hook, err = s.hooks.Add(c.Request().Context(), identity, request)
	}
	if fault, known := alertFault(err); known {
		return s.showAlerts(c, identity, http.StatusBadRequest, web.Alerts{Fault: fault}, fields)
	}
	if err != nil {
		return err
	}
	if hook.URL != "" {
		s.secrets.add(identity, web.PageAlert.Of(web.English, hook.ID), hook.Secret, false)
	}
	return c.Redirect(http.StatusSeeOther, web.PageAlert.Of(language(c), hook.ID))
}

// alertRequest returns what a form asks for.
func alertRequest(fields url.Values) (hooks.Request, error) {
	request := hooks.Request{Description: fields.Get("description")}
	if fields.Get("by") == "webhook" {
		if request.URL = strings.TrimSpace(fields.Get("url")); request.URL == "" {
			return request, errFormURL
		}
	}
	choices := hooks.Choices()
	series := slices.IndexFunc(choices, func(choice hooks.Choice) bool { return choice.Value == fields.Get("series") })
	chosen := slices.IndexFunc(alertEvents, func(e alertEvent) bool { return e.value == fields.Get("event") })
	if series < 0 || chosen < 0 {
		return request, problemInvalidParameter
	}
	for _, kind := range alertEvents[chosen].types {
		event := choices[series].Event
		event.Type = kind
		if !kind.HasSeries() {
			event.Column, event.Keys = "", nil
		}
		if kind.HasThreshold() {
			text := strings.NewReplacer(",", ".", "−", "-", " ", "", "\u00a0", "", "\u202f", "").Replace(fields.Get("threshold"))
			threshold, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return request, errFormThreshold
			}
			event.Threshold = &threshold
		}
		request.Events = append(request.Events, event)
	}
	return request, nil
}

var (
	errFormMail      = errors.New("an alert by mail where no mails are sent")
	errFormURL       = errors.New("a webhook in the form has no address")
	errFormThreshold = errors.New("the threshold in the form is not a number")
)

// alertFault returns the text of an error that the visitor can mend; false for other errors.
func alertFault(err error) (web.Text, bool) {
	var input *hooks.InputError
	switch {
	case errors.As(err, &input) && strings.HasSuffix(input.Field, "threshold"), errors.Is(err, errFormThreshold):
		return web.Text{FR: "Indiquez un seuil : un nombre, comme 12,5.", EN: "Enter a threshold: a number such as 12.5."}, true
	case errors.As(err, &input) && strings.HasSuffix(input.Field, "type"):
		return web.Text{FR: "Les corrections ne peuvent être envoyées qu’à un webhook.", EN: "Revisions can only be sent to a webhook."}, true
	case errors.As(err, &input) && input.Field == "description":
		return web.Text{FR: "La description peut avoir au plus 200 caractères.", EN: "A description can have at most 200 characters."}, true
	case errors.As(err, &input):
		return web.Text{FR: "Il faut " + input.Accepts.FR + ".", EN: "It takes " + input.Accepts.EN + "."}, true
	case errors.Is(err, errFormURL):
		return web.Text{FR: "Indiquez l’adresse du webhook.", EN: "Enter the address of the webhook."}, true
	case errors.Is(err, errFormMail):
		return web.Text{FR: "Cette instance n’envoie pas d’e-mails.", EN: "This instance sends no e-mail."}, true
	case errors.Is(err, store.ErrFull):
		return problemTooManyHooks.Detail, true
	case errors.Is(err, hooks.ErrDisabled):
		return web.Text{FR: "Cette alerte est désactivée : réactivez-la d’abord.", EN: "This alert is disabled: enable it first."}, true
	case errors.Is(err, auth.ErrSubscriptionRequired):
		return web.Text{FR: "Votre abonnement ne couvre pas ces données.", EN: "Your subscription does not cover this data."}, true
	}
	return web.Text{}, false
}

func (s *Server) alertPage(c echo.Context, identity auth.Identity) error {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return problemNotFound
	}
	view := web.Alert{}
	if c.Request().Method == http.MethodGet {
		view.Secret = s.secrets.take(identity, web.PageAlert.Of(web.English, id)).text
	}
	return s.showAlert(c, identity, id, http.StatusOK, view)
}

// outcomeTexts are the texts of what has become of deliveries.
var outcomeTexts = map[store.DeliveryOutcome]web.Text{
	store.DeliveryWaiting:   {FR: "en attente", EN: "waiting"},
	store.DeliveryDelivered: {FR: "livré", EN: "delivered"},
	store.DeliveryFailed:    {FR: "échoué", EN: "failed"},
	store.DeliveryRefused:   {FR: "non envoyé", EN: "not sent"},
}

func (s *Server) showAlert(c echo.Context, identity auth.Identity, id int64, status int, view web.Alert) error {
	ctx := c.Request().Context()
	hook, err := s.store.HookOf(ctx, identity.AccountID, id)
	if err != nil {
		return problemOfHook(err)
	}
	before := int64(0)
	if text := c.QueryParam("before"); text != "" {
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before < 1 {
			return problemInvalidParameter
		}
	}
	view.AlertLine, view.URL, view.Email = alertLine(hook), hook.URL, identity.Email
	found, err := s.store.Deliveries(ctx, hook.ID, before, deliveriesOnAlertPage+1)
	if err != nil {
		return err
	}
	if len(found) > deliveriesOnAlertPage {
		found = found[:deliveriesOnAlertPage]
		view.Older = found[len(found)-1].Number
	}
	for _, d := range found {
		line := web.DeliveryLine{
			ID: d.ID, What: hooks.Type(d.Type).Text(), Created: d.Created, Outcome: outcomeTexts[d.Outcome], Attempts: d.Attempts,
			Next: d.Next, Status: d.Status,
		}
		if d.Fault != "" {
			line.Fault = hooks.Fault(d.Fault).Text()
		}
		view.Deliveries = append(view.Deliveries, line)
	}
	address := web.PageAlert.Of(language(c), id)
	if before > 0 {
		address += "?before=" + strconv.FormatInt(before, 10)
	}
	body, err := s.pages.Alert(visitAt(c, identity, address), view)
	return s.page(c, status, body, err)
}

// afterAlertForm shows the alert again after a form of its page.
func (s *Server) afterAlertForm(c echo.Context, identity auth.Identity, id int64, err error) error {
	if fault, known := alertFault(err); known {
		if errors.Is(err, store.ErrFull) {
			fault = problemTooManyTests.Detail
		}
		return s.showAlert(c, identity, id, http.StatusBadRequest, web.Alert{Fault: fault})
	}
	if err != nil {
		return problemOfHook(err)
	}
	return c.Redirect(http.StatusSeeOther, web.PageAlert.Of(language(c), id))
}

func (s *Server) deleteAlert(c echo.Context, identity auth.Identity, id int64, _ url.Values) error {
	if err := s.hooks.Delete(c.Request().Context(), identity, id); err != nil {
		return problemOfHook(err)
	}
	return c.Redirect(http.StatusSeeOther, web.PageAlerts.In(language(c)))
}

func (s *Server) testAlert(c echo.Context, identity auth.Identity, id int64, _ url.Values) error {
	_, err := s.hooks.SendTest(c.Request().Context(), identity, id)
	return s.afterAlertForm(c, identity, id, err)
}

func (s *Server) enableAlert(c echo.Context, identity auth.Identity, id int64, _ url.Values) error {
	return s.afterAlertForm(c, identity, id, s.hooks.Enable(c.Request().Context(), identity, id))
}

func (s *Server) replaceAlertSecret(c echo.Context, identity auth.Identity, id int64, _ url.Values) error {
	secret, err := s.hooks.ReplaceSecret(c.Request().Context(), identity, id)
	if err == nil {
		s.secrets.add(identity, web.PageAlert.Of(web.English, id), secret, false)
	}
	return s.afterAlertForm(c, identity, id, err)
}

func (s *Server) resendAlert(c echo.Context, identity auth.Identity, id int64, fields url.Values) error {
	_, err := s.hooks.Resend(c.Request().Context(), identity, id, fields.Get("delivery"))
	return s.afterAlertForm(c, identity, id, err)
}

// endAlertPage shows the button that ends an alert, to the person who has the link of a mail. A link alone changes nothing:
// programs that look at mails follow links.
func (s *Server) endAlertPage(c echo.Context) error {
	return s.showEndAlert(c, http.StatusOK, c.QueryParam("id"), c.QueryParam("key"))
}

func (s *Server) showEndAlert(c echo.Context, status int, idText, key string) error {
	view, address := web.EndAlert{}, web.PageEndAlert.In(language(c))
	id, _ := strconv.ParseInt(idText, 10, 64) // none has the ID 0
	switch hook, err := s.hooks.ByEndKey(c.Request().Context(), id, key); {
	case errors.Is(err, store.ErrNotFound):
		status = http.StatusNotFound
	case err != nil:
		return err
	default:
		view.ID, view.Key, view.What = id, key, alertLine(hook).What
		address = web.EndAlertAddress(language(c), id, key)
	}
	body, err := s.pages.EndAlert(visitAt(c, auth.Identity{}, address), view)
	return s.page(c, status, body, err)
}

// endAlert ends the alert of a link in a mail.
func (s *Server) endAlert(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	id, _ := strconv.ParseInt(fields.Get("id"), 10, 64)
	err = s.hooks.EndByKey(c.Request().Context(), id, fields.Get("key"))
	if errors.Is(err, store.ErrNotFound) {
		return s.showEndAlert(c, http.StatusNotFound, fields.Get("id"), fields.Get("key"))
	}
	if err != nil {
		return err
	}
	body, err := s.pages.EndAlert(visitAt(c, auth.Identity{}, web.PageEndAlert.In(language(c))), web.EndAlert{Done: true})
	return s.page(c, http.StatusOK, body, err)
}
