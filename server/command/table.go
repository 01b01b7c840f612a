package command

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// printTable prints rows in aligned columns. The first row is the header.
func (p *Program) printTable(rows [][]string) error {
	table := tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

func timeCell(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func textCell(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
