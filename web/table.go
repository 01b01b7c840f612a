package web

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"html"
	"html/template"
	"strconv"
	"strings"
	"time"

	"courant/store/market"
)

// Table is rows of a dataset. The table, the charts and the CSV of a page are made from the same Table, so that they always
// show the same numbers.
type Table struct {
	ID      string // of its HTML element
	Caption Text
	Source  Text     // where its values come from
	Note    Text     // a notice beside it; may be empty
	Words   []Column // of texts, such as the direction
	Columns []Column // of numbers
	Rows    []Row    // ascending by period
	Period  market.Period
	Long    bool // it spans several delivery dates
	Ahead   bool // a null is a value that is not known yet; else it may be that there was nothing to give a value to
}

// Column is a column of a table.
type Column struct {
	Name     string // in the API; also its header in the CSV, and its series in charts
	Label    Text
	Unit     string
	Decimals int           // the least number of decimals shown
	Mean     market.Number // the exact mean over time, where the rows are rounded means; null: the mean of the rows
}

// Row is the values of one period, one for each column.
type Row struct {
	Period  market.Period
	Series  string // its series, where a table has several rows a period; else empty
	Words   []string
	Numbers []market.Number
}

// Published returns the text that pages show for a word of the API; the word itself if it is not known.
func Published(word string) Text { return Text(market.WordText(word)) }

// mostDecimals is how many decimals a table shows at most. All decimals are in the CSV and in the charts.
const mostDecimals = 2

// decimals returns the number of decimals that the column with this index shows, the same in all rows, so that its decimal marks
// are below each other.
func (t Table) decimals(column int) int {
	decimals := t.Columns[column].Decimals
	for _, row := range t.Rows {
		for n := row.Numbers[column]; n.Valid && decimals < mostDecimals && market.Round(n, decimals) != n; {
			decimals++
		}
	}
	return decimals
}

// layout is the columns of texts that a table shows, by their indices. Those that identify a row, where a period has several rows,
// are before the numbers, others after them. A text that is the same in all rows is not repeated in each.
type layout struct {
	Before, After []int
	Constant      []int // not in the rows: the same text in all of them
}

// Layout returns how the columns of texts are shown.
func (t Table) Layout() layout {
	var l layout
	if len(t.Rows) == 0 {
		return l
	}
	for i := range t.Words {
		switch {
		case t.isConstant(i):
			if t.Rows[0].Words[i] != "" {
				l.Constant = append(l.Constant, i)
			}
		case t.Rows[0].Series != "":
			l.Before = append(l.Before, i)
		default:
			l.After = append(l.After, i)
		}
	}
	return l
}

// isConstant reports whether a column of texts is the same in all rows.
func (t Table) isConstant(word int) bool {
	for _, row := range t.Rows {
		if row.Words[word] != t.Rows[0].Words[word] {
			return false
		}
	}
	return true
}

// ConstantText returns the text of a column that is the same in all rows.
func (t Table) ConstantText(word int) Text { return Published(t.Rows[0].Words[word]) }

// IsNarrow reports whether the table has too few columns to fill the width of a page.
func (t Table) IsNarrow() bool { return len(t.Columns) == 1 }

// body returns the rows as HTML. Each number is also in an attribute as it was published, for the script that draws charts. A
// template would take ten times as long for the thousands of cells of a month.
func (t Table) body(l Language) template.HTML {
	var b strings.Builder
	shown := t.Layout()
	decimals := make([]int, len(t.Columns))
	for i := range t.Columns {
		decimals[i] = t.decimals(i)
	}
	words := func(row Row, columns []int) {
		for _, i := range columns {
			b.WriteString("<td>" + html.EscapeString(Published(row.Words[i]).In(l)) + "</td>")
		}
	}
	for _, row := range t.Rows {
		fmt.Fprintf(&b, `<tr data-from="%d" data-to="%d"`, row.Period.Start, row.Period.End)
		if row.Series != "" {
			fmt.Fprintf(&b, ` data-series="%s"`, html.EscapeString(row.Series))
		}
		fmt.Fprintf(&b, `><th scope="row"><time datetime="%s">%s</time></th>`, row.Period.From().Format(time.RFC3339), slot(l, row.Period, t.Long))
		words(row, shown.Before)
		for i, n := range row.Numbers {
			b.WriteString(`<td class="number"`)
			if n.Valid {
				b.WriteString(` data-value="` + strconv.FormatFloat(n.V, 'f', -1, 64) + `"`)
			}
			b.WriteString(">" + formatNumber(l, market.Round(n, decimals[i]), decimals[i]) + "</td>")
		}
		words(row, shown.After)
		b.WriteString("</tr>\n")
	}
	return template.HTML(b.String()) // safe: only numbers, and words that were escaped
}

// start returns when a period begins as local time in Paris, such as 17:15, with its date if dated.
func start(l Language, p market.Period, dated bool) string {
	if !dated {
		return Clock(p.Start)
	}
	return p.From().In(market.Paris).Format(Text{"02/01", "2\u00a0Jan"}.In(l)) + "\u00a0" + Clock(p.Start)
}

// slot returns a period as local time in Paris, such as 17:15–17:30, with the date of its start if dated.
func slot(l Language, p market.Period, dated bool) string {
	return start(l, p, dated) + "–" + Clock(p.End)
}

// CSV returns the table as a spreadsheet in that language reads it: in French separated by semicolons and with decimal
// commas, in English separated by commas and with decimal points. Numbers have all their decimals; null is an empty field.
func (t Table) CSV(l Language) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	if l == French {
		w.Comma = ';'
	}
	record := []string{"delivery_date", "start_paris", "period_start_utc", "period_end_utc"}
	for _, column := range append(append([]Column{}, t.Words...), t.Columns...) {
		record = append(record, column.Name)
	}
	w.Write(record)
	for _, row := range t.Rows {
		record = append(record[:0], market.DeliveryDateOf(row.Period.From()).String(), Clock(row.Period.Start),
			row.Period.From().Format(time.RFC3339), row.Period.To().Format(time.RFC3339))
		for _, word := range row.Words {
			record = append(record, plainCell(word))
		}
		for _, n := range row.Numbers {
			field := ""
			if n.Valid {
				field = strconv.FormatFloat(n.V, 'f', -1, 64)
			}
			if l == French {
				field = strings.Replace(field, ".", ",", 1)
			}
			record = append(record, field)
		}
		w.Write(record)
	}
	w.Flush() // to memory, which does not fail
	return out.Bytes()
}

// plainCell quotes a word that a spreadsheet would read as a formula.
func plainCell(word string) string {
	if strings.IndexAny(word, "=+-@\t\r") == 0 {
		return "'" + word
	}
	return word
}
