package web

import (
	"html/template"
	"strings"
	"time"

	"courant/auth"
	"courant/ingest/report"
	"courant/store/market"
	"courant/store/market/analysis"
)

// functions returns the functions of templates in a language.
func functions(l Language) template.FuncMap {
	return template.FuncMap{
		"say":    func(fr, en string) string { return Text{fr, en}.typeset(l) },
		"text":   func(t Text) string { return t.typeset(l) },
		"path":   func(name string, id ...int64) (string, error) { return pathNamed(l, name, id...) },
		"form":   formNamed,
		"asset":  func(name string) string { return assets[name] },
		"number": func(n market.Number, decimals int) string { return formatNumber(l, n, decimals) },
		"fixed": func(n market.Number, decimals int) string {
			return formatNumber(l, market.Round(n, decimals), decimals)
		},
		"change":      func(n market.Number, decimals int) string { return formatChange(l, n, decimals) },
		"count":       func(n int) string { return formatNumber(l, market.Num(float64(n)), 0) },
		"count64":     func(n int64) string { return formatNumber(l, market.Num(float64(n)), 0) },
		"day":         func(d market.DeliveryDate) string { return formatDay(l, d) },
		"longday":     func(d market.DeliveryDate) string { return formatLongDay(l, d) },
		"moment":      func(t time.Time) string { return formatMoment(l, t) },
		"dates":       func(first, last market.DeliveryDate) string { return formatDates(l, first, last) },
		"shortday":    func(d market.DeliveryDate) string { return formatShortDay(l, d) },
		"shortmoment": func(t time.Time) string { return formatShortDay(l, market.DeliveryDateOf(t)) + " " + Clock(t.Unix()) },
		"dayofmonth":  dayOf,
		"month":       func(d market.DeliveryDate) string { return monthOf(l, d) },
		"monthyear":   func(d market.DeliveryDate) string { return monthOf(l, d) + "\u00a0" + d.String()[:4] },
		"weekday":     func(d market.DeliveryDate) string { return weekdayOf(l, d)[:3] },
		"totals":      func(t analysis.Total, a *Analysis) totalRow { return totalRow{t, a.Decimals, a.IsPrice()} },
		"lengthname":  func(length market.BucketLength) string { return lengthTexts[length].typeset(l) },
		"start":       func(p market.Period, dated bool) string { return start(l, p, dated) },
		"slot":        func(p market.Period, dated bool) string { return slot(l, p, dated) },
		"clock":       Clock,
		"hours": func(seconds int64) string {
			return formatNumber(l, market.Round(market.Num(float64(seconds)/market.HourSeconds), 2), 0)
		},
		"clocknotes": func(first, last market.DeliveryDate) []string { return clockNotes(l, first, last) },
		"blockof":    func(block market.Block, dated bool) shownBlock { return newShownBlock(l, block, dated) },
		"odd":        func(i int) bool { return i%2 == 1 },
		"dataset":    func(d market.Dataset) string { return Text(d.About().Title).typeset(l) },
		"absences": func() absences {
			return absences{AbsenceLocked, AbsenceOff, AbsenceNothing, AbsenceDates, AbsenceStale}
		},
		"days":      dayStates,
		"daystate":  func(state DayState) string { return textOf(dayTexts, state).typeset(l) },
		"access":    func(access Access) string { return textOf(accesses, access).typeset(l) },
		"lastday":   LastDay,
		"event":     func(event string) string { return textOf(eventTexts, auth.Event(event)).typeset(l) },
		"auditword": func(word string) string { return textOf(auditWords, word).typeset(l) },
		"roles":     func() []string { return []string{auth.MemberRole, auth.AdministratorRole} },
		"waits":     func(kind market.WaitKind) string { return textOf(waits, kind).typeset(l) },
		"reason":    func(reason report.Reason) string { return textOf(reasons, reason).typeset(l) },
		"rows":      func(t Table) template.HTML { return t.body(l) },
		"summary":   func(c Chart) string { return c.summary(l) },
		"spark":     spark,
		"kind":      func(k Kind) string { return textOf(kinds, k).typeset(l) },
	}
}

// absences are the reasons for an absence, for templates to compare with.
type absences struct{ Locked, Off, Nothing, Dates, Stale Absence }

// pathOf returns an address without its query.
func pathOf(address string) string {
	path, _, _ := strings.Cut(address, "?")
	return path
}
