package web_test

import (
	"time"

	"courant/web"
)

// alertPages renders the pages of alerts in each of their states.
func alertPages(r rendering, p *web.Pages, language web.Language) {
	noon := time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)
	member := web.Visit{Language: language, Path: "/alerts", Email: "anne@example.org"}
	what := []web.Text{{FR: "Prix négatif : Prix day-ahead", EN: "Negative price: Day-ahead prices"}}
	attacked := []web.Text{{FR: hostile, EN: hostile}}
	options := []web.Option{{Value: "negative", Text: what[0], Selected: true}}
	byMail := web.AlertLine{ID: 3, What: what, Created: noon}
	disabled := web.AlertLine{ID: 4, What: append(what, what...), Host: "10.0.0.1", Description: "42", Created: noon, Disabled: noon, Why: what[0]}
	for name, view := range map[string]web.Alerts{
		"": {Events: options, Series: options, Email: "anne@example.org"}, " full": {Alerts: []web.AlertLine{byMail, disabled}, Full: what[0]},
		" without mail": {Events: options, Series: options, MailOff: true, By: "webhook", Fault: what[0]},
		" under attack": {Events: []web.Option{{Value: hostile, Text: attacked[0]}}, Alerts: []web.AlertLine{{What: attacked, Host: hostile, Description: hostile}}, Email: hostile, Threshold: hostile, URL: hostile, Description: hostile},
	} {
		r.keep("alerts" + name)(p.Alerts(member, view))
	}
	deliveries := []web.DeliveryLine{
		{ID: "msg_1", What: what[0], Created: noon, Outcome: what[0], Attempts: 1, Status: 204}, {ID: "msg_2", What: what[0], Outcome: what[0], Next: noon, Fault: what[0]},
	}
	for name, view := range map[string]web.Alert{
		"": {AlertLine: byMail, Email: "anne@example.org"}, " disabled": {AlertLine: disabled, URL: "https://receiver.example.org/x", Deliveries: deliveries, Older: 7},
		" with a secret": {AlertLine: byMail, Secret: "whsec_x", Deliveries: deliveries, Fault: what[0]},
		" under attack":  {AlertLine: web.AlertLine{What: attacked, Host: hostile, Description: hostile}, URL: hostile, Secret: hostile, Deliveries: []web.DeliveryLine{{ID: hostile}}},
	} {
		r.keep("alert" + name)(p.Alert(member, view))
	}
	for name, view := range map[string]web.EndAlert{
		"": {ID: 3, Key: "KEY", What: what}, " done": {Done: true}, " unknown": {}, " under attack": {ID: 3, Key: hostile, What: attacked},
	} {
		r.keep("end alert" + name)(p.EndAlert(web.Visit{Language: language, Path: "/alerts/end"}, view))
	}
}
