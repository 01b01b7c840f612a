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

// Table is rows of a dataset. A page's table, its charts and its CSV are made of the same one, so that none of them
// can show other numbers than the others.
type Table struct {
	ID      string // of its element
	Caption Text
	Source  Text     // where its values come from
	Note    Text     // what has to be known of it; empty: nothing
	Words   []Column // what tells rows of one period apart, such as a direction
	Columns []Column // numbers
	Rows    []Row    // ascending by period
	Long    bool     // it spans several delivery dates
}

// Column is a column of a table.
type Column struct {
	Name     string // as the API calls it: the CSV's header, and the series that charts draw
	Label    Text
	Unit     string
	Decimals int // at least so many are shown
}

// Row is one period's values, one for each column.
type Row struct {
	Period  market.Period
	Series  string // of a table with several rows a period: which of them it is
	Words   []string
	Numbers []market.Number
}

// Published is a word of the API as pages show it; one that is new is shown as it was published.
func Published(word string) Text { return Text(market.WordText(word)) }

// body is the table's rows as markup, in which a number also stands as it was published, for the script that draws. A
// template would take ten times as long for the thousands of cells of a month.
func (t Table) body(l Language) template.HTML {
	var b strings.Builder
	for _, row := range t.Rows {
		fmt.Fprintf(&b, `<tr data-from="%d" data-to="%d"`, row.Period.Start, row.Period.End)
		if row.Series != "" {
			fmt.Fprintf(&b, ` data-series="%s"`, html.EscapeString(row.Series))
		}
		fmt.Fprintf(&b, `><th scope="row"><time datetime="%s">%s</time></th>`, row.Period.From().Format(time.RFC3339), slot(row.Period, t.Long))
		for _, word := range row.Words {
			b.WriteString("<td>" + html.EscapeString(Published(word).In(l)) + "</td>")
		}
		for i, n := range row.Numbers {
			b.WriteString(`<td class="number"`)
			if n.Valid {
				b.WriteString(` data-value="` + strconv.FormatFloat(n.V, 'f', -1, 64) + `"`)
			}
			b.WriteString(">" + formatNumber(l, n, t.Columns[i].Decimals) + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	return template.HTML(b.String()) // numbers, and words that are escaped
}

// start is when a period begins on a clock in Paris, such as 17:15, with its date if dated.
func start(p market.Period, dated bool) string {
	if !dated {
		return Clock(p.Start)
	}
	return p.From().In(market.Paris).Format("02/01") + "\u00a0" + Clock(p.Start)
}

// slot is a period as clocks in Paris show it, such as 17:15–17:30, with its date if dated.
func slot(p market.Period, dated bool) string { return start(p, dated) + "–" + Clock(p.End) }

// CSV is the table as spreadsheets read it: in French separated by semicolons and with decimal commas, in English
// separated by commas and with decimal points. Numbers are in full, null is an empty field.
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
	w.Flush() // into memory: it cannot fail
	return out.Bytes()
}

// plainCell keeps a source's word from being taken for a formula.
func plainCell(word string) string {
	if strings.IndexAny(word, "=+-@\t\r") == 0 {
		return "'" + word
	}
	return word
}
