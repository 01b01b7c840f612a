package market

// The columns that every dataset has beside its own, and that are given only where they are asked for.
const (
	ColumnUpdatedAt       = "updated_at"        // KindInstant
	ColumnSource          = "source"            // KindString
	ColumnPeriodStartUnix = "period_start_unix" // KindInteger
)

var extraColumns = []ServedColumn{{
	Name: ColumnUpdatedAt, Kind: KindInstant, Nullable: true,
	Text:  Text{"Dernier enregistrement ou changement de la ligne", "When the row was last stored or changed"},
	Label: Text{"Mis à jour", "Updated"},
}, {
	Name: ColumnSource, Kind: KindString, Nullable: true,
	Text: Text{"Qui a publié la ligne", "Who published the row"}, Label: Text{"Source", "Source"},
}, {
	Name: ColumnPeriodStartUnix, Kind: KindInteger,
	Text:  Text{"Début de la période, en secondes Unix", "Start of the period, in Unix seconds"},
	Label: Text{"Début (Unix)", "Start (Unix)"},
}}

// ExtraColumns lists the columns that every dataset has beside its own.
func ExtraColumns() []ServedColumn { return append([]ServedColumn(nil), extraColumns...) }
