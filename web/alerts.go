package web

import (
	"net/url"
	"strconv"
	"time"

	"courant/ingest/report"
	"courant/store/market"
)

// FormatDay formats a date, such as 11 octobre 2026.
func FormatDay(l Language, d market.DeliveryDate) string { return formatDay(l, d) }

// Decimal formats a number with all of its decimals.
func Decimal(l Language, n market.Number) string { return formatNumber(l, n, 0) }

// StateText returns what a state is called on pages.
func StateText(state report.State) Text { return textOf(states, state) }

// EndAlertAddress returns the path at which the link in a mail ends an alert.
func EndAlertAddress(l Language, id int64, key string) string {
	return PageEndAlert.In(l) + "?" + url.Values{"id": {strconv.FormatInt(id, 10)}, "key": {key}}.Encode()
}

// Alerts is the page of an account's alerts and webhooks.
type Alerts struct {
	Alerts []AlertLine
	Full   Text // says that the account has as many as it may have; else empty
	// Events and Series are what can be chosen.
	Events, Series []Option
	Email          string // to which mails go
	MailOff        bool   // no mails are sent
	Fault          Text   // why nothing was made; may be empty
	// As it was typed:
	Threshold, By, URL, Description string
}

// Option is one of several values that a form offers.
type Option struct {
	Value    string
	Text     Text
	Selected bool
}

// AlertLine is an alert or a webhook.
type AlertLine struct {
	ID          int64
	What        []Text // each of its events
	Host        string // of the webhook; empty: it sends mails
	Description string
	Created     time.Time
	Disabled    time.Time // zero: it is not
	Why         Text      // it is disabled
}

// Alerts renders the page of an account's alerts.
func (p *Pages) Alerts(visit Visit, view Alerts) ([]byte, error) {
	return p.render("alerts", visit, view)
}

// Alert is the page of one alert.
type Alert struct {
	AlertLine
	URL        string // of the webhook
	Email      string // to which mails go
	Secret     string // a new one, shown only now; else empty
	Deliveries []DeliveryLine
	Older      int64 // the number before which the next page of deliveries begins; 0: there is none
	Fault      Text  // why the last form was refused; may be empty
}

// DeliveryLine is what was sent to an alert, or will be.
type DeliveryLine struct {
	ID       string
	What     Text
	Created  time.Time
	Outcome  Text
	Attempts int
	Next     time.Time // the next attempt; zero: there is none
	Status   int       // of the newest answer; 0: there was none
	Fault    Text      // of the newest attempt; may be empty
}

// Alert renders the page of one alert.
func (p *Pages) Alert(visit Visit, view Alert) ([]byte, error) {
	return p.render("alert", visit, view)
}

// EndAlert is the page to which the link in a mail leads.
type EndAlert struct {
	ID   int64
	Key  string // empty: the link does not work
	What []Text
	Done bool
}

// EndAlert renders the page to which the link in a mail leads.
func (p *Pages) EndAlert(visit Visit, view EndAlert) ([]byte, error) {
	return p.render("endalert", visit, view)
}
