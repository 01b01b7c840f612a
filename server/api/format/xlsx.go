package format

import (
	"archive/zip"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"

	"courant/store/market"
)

// mostSheetRows is how many rows a sheet can have, with its header.
const mostSheetRows = 1_048_576

// mostCellText is how many characters a cell can have. Excel repairs a file with a longer text, and refuses the rest of it.
const mostCellText = 32_767

// workbook writes the parts of an xlsx file (ECMA-376) one after the other as rows arrive: nothing waits in memory or in a
// temporary file. Texts are in the cells themselves, because a table of shared texts is complete only at the end.
type workbook struct {
	output
	head    Head
	options Options
	file    *zip.Writer
	sheet   io.Writer
	columns []market.ServedColumn
	cells   []cell
	utc     *clock
	paris   *clock
	rows    int // with the header
}

// Styles of cells: indexes into cellXfs of the part styles.
const (
	stylePlain  = ""
	styleHeader = "1"
	styleTime   = "2"
	styleText   = "3" // a text that would be a formula if it were typed
)

func newXLSX(w io.Writer, head Head, options Options) Writer {
	options.Zone = UTC // of the columns that are instants
	b := &workbook{
		output: newOutput(nil), head: head, options: options, file: zip.NewWriter(w), columns: head.columns(spreadsheetColumns),
		utc: utcClock(), paris: parisClock(),
	}
	b.file.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	b.cells = cells(b.columns, options.Zone, func(i int) string { return `<c r="` + columnName(i) })
	return b
}

// columnName returns the letters of a column: A, B, …, Z, AA.
func columnName(i int) string {
	name := string(rune('A' + i%26))
	if i >= 26 {
		name = columnName(i/26-1) + name
	}
	return name
}

const xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

// The parts that are the same in each file.
var parts = []struct{ name, text string }{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="` + mediaTypeXLSX + `.main+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="` + openXML + `.styles+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="` + openXML + `.worksheet+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet2.xml" ContentType="` + openXML + `.worksheet+xml"/>` +
		`</Types>`},
	{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="` + relationship + `/officeDocument" Target="xl/workbook.xml"/>` +
		`</Relationships>`},
	{"xl/workbook.xml", `<workbook xmlns="` + spreadsheetML + `" xmlns:r="` + relationship + `">` +
		`<bookViews><workbookView/></bookViews><sheets>` +
		`<sheet name="data" sheetId="1" r:id="rId1"/><sheet name="about" sheetId="2" r:id="rId2"/></sheets></workbook>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="` + relationship + `/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type="` + relationship + `/worksheet" Target="worksheets/sheet2.xml"/>` +
		`<Relationship Id="rId3" Type="` + relationship + `/styles" Target="styles.xml"/></Relationships>`},
	{"xl/styles.xml", `<styleSheet xmlns="` + spreadsheetML + `">` +
		`<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/></numFmts>` +
		`<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>` +
		`<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
		`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		`<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
		`<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>` +
		`<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
		`<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/></cellXfs>` +
		`<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`},
}

const (
	openXML       = "application/vnd.openxmlformats-officedocument.spreadsheetml"
	spreadsheetML = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	relationship  = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
)

// part begins a part of the file.
func (b *workbook) part(name string) (io.Writer, error) {
	return b.file.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: b.head.GeneratedAt.UTC()})
}

// begin writes what comes before the first row.
func (b *workbook) begin() error {
	if b.sheet != nil {
		return nil
	}
	for _, fixed := range parts {
		w, err := b.part(fixed.name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, xmlHead+fixed.text); err != nil {
			return err
		}
	}
	sheet, err := b.part("xl/worksheets/sheet1.xml")
	if err != nil {
		return err
	}
	b.sheet, b.w = sheet, sheet
	widths := make([]int, len(b.columns))
	for i, column := range b.columns {
		widths[i] = width(column)
	}
	b.openSheet(true, widths)
	b.row()
	for i, column := range b.columns {
		b.text(i, column.Name, styleHeader)
	}
	b.bytes = append(b.bytes, "</row>"...)
	return nil
}

// width returns how many characters wide a column is shown.
func width(column market.ServedColumn) int {
	least := 10
	switch {
	case column.Name == localStartColumn.Name || column.Name == localEndColumn.Name:
		least = 20
	case column.Kind == market.KindInstant:
		least = 25
	}
	return max(least, len(column.Name)+2)
}

// openSheet writes the beginning of a sheet. The first row of the one that is shown first stays in view.
func (b *workbook) openSheet(first bool, widths []int) {
	b.bytes = append(b.bytes, xmlHead+`<worksheet xmlns="`+spreadsheetML+`">`...)
	if first {
		b.bytes = append(b.bytes, `<sheetViews><sheetView tabSelected="1" workbookViewId="0">`+
			`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>`...)
	}
	b.bytes = append(b.bytes, "<cols>"...)
	for i, width := range widths {
		at := strconv.Itoa(i + 1)
		b.bytes = append(b.bytes, `<col min="`+at+`" max="`+at+`" width="`+strconv.Itoa(width)+`" customWidth="1"/>`...)
	}
	b.bytes = append(b.bytes, "</cols><sheetData>"...)
	b.rows = 0
}

// row begins a row.
func (b *workbook) row() {
	b.rows++
	b.bytes = append(strconv.AppendInt(append(b.bytes, `<row r="`...), int64(b.rows), 10), `">`...)
}

// open begins a cell, up to its attributes.
func (b *workbook) open(column int) {
	b.bytes = strconv.AppendInt(append(b.bytes, b.cells[column].before...), int64(b.rows), 10)
}

// text writes a cell with a text.
func (b *workbook) text(column int, text, style string) {
	b.open(column)
	if style == stylePlain && isFormula(text) {
		style = styleText
	}
	if style != stylePlain {
		b.bytes = append(append(b.bytes, `" s="`...), style...)
	}
	b.bytes = append(b.bytes, `" t="inlineStr"><is><t xml:space="preserve">`...)
	b.bytes = append(appendXML(b.bytes, text), "</t></is></c>"...)
}

// instant writes a cell with an instant of UTC as a text: a time in a cell has no zone.
func (b *workbook) instant(column int, c *clock, ms int64) {
	b.open(column)
	b.bytes = append(b.bytes, `" t="inlineStr"><is><t>`...)
	b.bytes = append(c.append(b.bytes, ms), "</t></is></c>"...)
}

// local writes a cell with a local time in Paris.
func (b *workbook) local(column int, second int64) {
	b.open(column)
	b.bytes = append(b.bytes, `" s="`+styleTime+`"><v>`...)
	const epoch = 25_569 * 86_400 // 1970-01-01, in seconds of day 0 of spreadsheets
	shown := second + b.paris.offset(second*1000) + epoch
	b.bytes = strconv.AppendFloat(b.bytes, float64(shown)/86_400, 'f', -1, 64)
	b.bytes = append(b.bytes, "</v></c>"...)
}

func (b *workbook) Write(chunk market.Chunk) error {
	if err := b.begin(); err != nil {
		return err
	}
	for row := range chunk.Len() {
		b.row()
		b.instant(0, b.utc, chunk.Starts[row]*1000)
		b.local(1, chunk.Starts[row])
		b.local(2, chunk.Ends[row])
		b.open(3)
		b.bytes = append(b.bytes, `" s="`+styleText+`" t="inlineStr"><is><t>`...)
		b.bytes = append(b.paris.appendOffset(b.bytes, chunk.Starts[row]*1000), "</t></is></c>"...)
		for i := range chunk.Keys {
			b.text(4+i, chunk.Keys[i][row], stylePlain)
		}
		for i := range chunk.Columns {
			if values := &chunk.Columns[i]; values.Valid[row] {
				b.value(4+len(chunk.Keys)+i, values, row)
			}
		}
		b.bytes = append(b.bytes, "</row>"...)
		if len(b.bytes) >= enough {
			if err := b.flush(); err != nil {
				return err
			}
		}
	}
	if err := b.flush(); err != nil {
		return err
	}
	return b.file.Flush()
}

// value writes a cell with a value.
func (b *workbook) value(column int, values *market.Vector, row int) {
	cell := &b.cells[column]
	switch cell.kind {
	case textKind:
		b.text(column, values.Texts[row], stylePlain)
		return
	case instantKind:
		b.instant(column, cell.clock, values.Instants[row])
		return
	}
	b.open(column)
	switch cell.kind {
	case numberKind:
		b.bytes = cell.appendNumber(append(b.bytes, `"><v>`...), values.Numbers[row], '.')
	case integerKind:
		b.bytes = strconv.AppendInt(append(b.bytes, `"><v>`...), values.Integers[row], 10)
	case booleanKind:
		b.bytes = append(b.bytes, `" t="b"><v>`...)
		if values.Flags[row] {
			b.bytes = append(b.bytes, '1')
		} else {
			b.bytes = append(b.bytes, '0')
		}
	}
	b.bytes = append(b.bytes, "</v></c>"...)
}

const endOfSheet = "</sheetData></worksheet>"

func (b *workbook) Close(tail Tail) error {
	if err := b.begin(); err != nil {
		return err
	}
	rows := b.rows - 1
	b.bytes = append(b.bytes, endOfSheet...)
	if err := b.flush(); err != nil {
		return err
	}
	about, err := b.part("xl/worksheets/sheet2.xml")
	if err != nil {
		return err
	}
	b.w = about
	b.about(rows, tail)
	b.bytes = append(b.bytes, endOfSheet...)
	if err := b.flush(); err != nil {
		return err
	}
	return b.file.Close()
}

// about writes the rows of the sheet about: facts, columns, and the dates that are not whole.
func (b *workbook) about(rows int, tail Tail) {
	b.openSheet(false, []int{36, 44, 12, 60})
	line := func(style string, texts ...string) {
		b.row()
		for i, text := range texts {
			b.text(i, text, style)
		}
		b.bytes = append(b.bytes, "</row>"...)
	}
	in := b.options.text
	for _, fact := range b.head.facts(b.options) {
		line(stylePlain, in(fact.label), fact.value)
	}
	line(stylePlain, in(market.Text{FR: "Lignes", EN: "Rows"}), strconv.Itoa(rows))
	b.rows++
	line(styleHeader, in(market.Text{FR: "Colonne", EN: "Column"}), "Type",
		in(market.Text{FR: "Unité", EN: "Unit"}), "Description")
	for _, column := range b.columns {
		line(stylePlain, column.Name, string(column.Kind), string(column.Unit), in(column.Text))
	}
	if len(tail.Missing) == 0 {
		return
	}
	b.rows++
	line(styleHeader, in(market.Text{FR: "Journée incomplète", EN: "Incomplete date"}),
		in(market.Text{FR: "Attendu", EN: "Expected"}), in(market.Text{FR: "Reçu", EN: "Received"}),
		in(market.Text{FR: "Raison", EN: "Reason"}))
	for _, missing := range tail.Missing {
		line(stylePlain, missing.Date.String(), strconv.Itoa(missing.Expected), strconv.Itoa(missing.Received), missing.Reason)
	}
}

// appendXML appends a text of a cell. Characters that XML cannot have are written as Excel does it: _x0007_.
func appendXML(b []byte, s string) []byte {
	if isPlain(s) && len(s) <= mostCellText {
		return append(b, s...)
	}
	count := 0
	for i, r := range s {
		if count += utf16.RuneLen(r); count > mostCellText {
			break
		}
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r < ' ' && r != '\t' && r != '\n':
			b = append(b, '_', 'x', '0', '0', hexDigits[r>>4], hexDigits[r&0xf], '_')
		case r == 0xfffe || r == 0xffff:
			b = utf8.AppendRune(b, utf8.RuneError)
		case r == '_' && isEscape(s[i:]):
			b = append(b, "_x005F_"...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// isEscape reports whether a text begins with what a spreadsheet reads as an escaped character, such as _x0007_.
func isEscape(s string) bool {
	if len(s) < 7 || s[1] != 'x' || s[6] != '_' {
		return false
	}
	return strings.Trim(s[2:6], "0123456789abcdefABCDEF") == ""
}
