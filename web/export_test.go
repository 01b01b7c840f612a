package web

// How pages write what they show.
var (
	FormatNumber = formatNumber
	FormatDates  = formatDates
	FormatMoment = formatMoment
	Spark        = spark
)

// Typeset is a text as a page shows it.
func Typeset(l Language, t Text) string { return t.typeset(l) }
