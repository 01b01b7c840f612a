package web

import (
	"courant/ingest/report"
	"courant/store/market"
)

// WordsWithoutText returns the words that pages show as texts and that lack one, in either language.
func WordsWithoutText() []string {
	missing := lacking(states, report.States()...)
	missing = append(missing, lacking(stateNotices, report.States()...)...)
	missing = append(missing, lacking(troubleStates, report.TroubleCredentials, report.TroubleConnection)...)
	missing = append(missing, lacking(troubleNotices, report.TroubleCredentials, report.TroubleConnection)...)
	missing = append(missing, lacking(reasons, report.Reasons()...)...)
	missing = append(missing, lacking(waits, market.WaitsFlat, market.WaitsChanged, market.WaitsWithdrawn, market.WaitsRefused)...)
	missing = append(missing, lacking(dayTexts, dayStates()...)...)
	missing = append(missing, lacking(accesses, AccessPublic, AccessAccount, AccessSubscription, AccessAdministrator)...)
	return append(missing, lacking(kinds, KindNumber, KindInteger, KindBoolean, KindString, KindInstant, KindDate, KindValue, KindObject, KindList, KindWords)...)
}

func lacking[W ~string](texts map[W]Text, all ...W) []string {
	var missing []string
	for _, word := range all {
		if text := texts[word]; text.FR == "" || text.EN == "" {
			missing = append(missing, string(word))
		}
	}
	return missing
}

// DayStates are the states of a delivery date in the calendar.
var DayStates = dayStates

// How pages format values.
var (
	FormatNumber = formatNumber
	FormatDates  = formatDates
	FormatMoment = formatMoment
	Spark        = spark
)

// Typeset returns a text as pages show it.
func Typeset(l Language, t Text) string { return t.typeset(l) }
