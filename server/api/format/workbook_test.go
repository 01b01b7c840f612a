package format_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"courant/server/api/format"
	"courant/store/market"
)

// element is an element of XML.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e element) child(name string) element {
	for _, c := range e.Children {
		if c.XMLName.Local == name {
			return c
		}
	}
	return element{}
}

// childOrders are the sequences that ECMA-376 (part 1, 18) gives for the children of elements that have children in a fixed order.
// Excel refuses or repairs a file with another order; LibreOffice reads it.
var childOrders = map[string][]string{
	"workbook": {
		"fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets", "functionGroups", "externalReferences", "definedNames", "calcPr",
	},
	"worksheet": {
		"sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "sheetCalcPr", "sheetProtection", "protectedRanges", "scenarios", "autoFilter",
		"sortState", "dataConsolidate", "customSheetViews", "mergeCells", "phoneticPr", "conditionalFormatting", "dataValidations", "hyperlinks", "printOptions",
		"pageMargins", "pageSetup", "headerFooter",
	},
	"styleSheet": {"numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs", "tableStyles", "colors"},
	"sheetView":  {"pane", "selection"},
	"font":       {"b", "i", "strike", "condense", "extend", "outline", "shadow", "u", "vertAlign", "sz", "color", "name", "family", "charset", "scheme"},
	"border":     {"left", "right", "top", "bottom", "diagonal"},
	"xf":         {"alignment", "protection"},
	"c":          {"f", "v", "is"},
	"row":        {"c"}, "sheetData": {"row"}, "cols": {"col"}, "sheets": {"sheet"}, "is": {"t"}, "bookViews": {"workbookView"},
}

// checkOrder reports the elements whose children are not those of childOrders, in that order.
func checkOrder(t *testing.T, part string, e element) {
	t.Helper()
	order, isKnown := childOrders[e.XMLName.Local]
	last := 0
	for _, c := range e.Children {
		if at := slices.Index(order, c.XMLName.Local); isKnown && at < last {
			t.Fatalf("%s: <%s> at place %d of <%s>, after place %d", part, c.XMLName.Local, at, e.XMLName.Local, last)
		} else if isKnown {
			last = at
		}
		checkOrder(t, part, c)
	}
	if count := e.attr("count"); count != "" && count != strconv.Itoa(len(e.Children)) {
		t.Errorf("%s: <%s count=%q> has %d", part, e.XMLName.Local, count, len(e.Children))
	}
}

// partsOf reads the parts of a workbook.
func partsOf(t *testing.T, file []byte) (names []string, parts map[string]element) {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	parts = map[string]element{}
	for _, entry := range archive.File {
		r, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(text, []byte(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`)) {
			t.Errorf("%s begins with %.60q", entry.Name, text)
		}
		var root element
		if err := xml.Unmarshal(text, &root); err != nil { // which refuses characters that XML cannot have
			t.Fatalf("%s: %v", entry.Name, err)
		}
		if entry.Method != zip.Deflate && entry.Method != zip.Store {
			t.Errorf("%s is compressed by method %d", entry.Name, entry.Method)
		}
		names = append(names, entry.Name)
		parts[entry.Name] = root
	}
	return names, parts
}

// checkPackage checks the content types and the relationships of the parts, and returns the targets of those of the workbook.
func checkPackage(t *testing.T, names []string, parts map[string]element) map[string]string {
	t.Helper()
	if names[0] != "[Content_Types].xml" {
		t.Errorf("the first part is %s", names[0])
	}
	types := map[string]string{}
	for _, c := range parts["[Content_Types].xml"].Children {
		types[c.XMLName.Local+" "+c.attr("PartName")+c.attr("Extension")] = c.attr("ContentType")
	}
	for _, name := range names[1:] {
		if types["Override /"+name] == "" && !(strings.HasSuffix(name, ".rels") && types["Default rels"] != "") {
			t.Errorf("%s has no content type", name)
		}
	}
	for key := range types {
		if name, is := strings.CutPrefix(key, "Override /"); is && !slices.Contains(names, name) {
			t.Errorf("there is no part %s", name)
		}
	}
	var ofWorkbook map[string]string
	for _, name := range names {
		folder, is := strings.CutSuffix(path.Dir(name), "_rels")
		if !is {
			continue
		}
		targets := map[string]string{}
		for _, relation := range parts[name].Children {
			id, target := relation.attr("Id"), path.Join(folder, relation.attr("Target"))
			if _, is := targets[id]; is || id == "" || !slices.Contains(names, target) {
				t.Errorf("%s: relationship %q to %s", name, id, target)
			}
			targets[id] = target
		}
		if path.Base(name) == "workbook.xml.rels" {
			ofWorkbook = targets
		}
	}
	return ofWorkbook
}

const (
	mostColumns   = 16_384
	mostWidth     = 255
	mostCellText  = 32_767
	mostSheetName = 31
)

var (
	plainNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
	cellName    = regexp.MustCompile(`^([A-Z]{1,3})([1-9][0-9]*)$`)
)

func columnOf(letters string) (n int) {
	for _, letter := range letters {
		n = 26*n + int(letter-'A') + 1
	}
	return n
}

// checkSheet checks the rows and the cells of a sheet.
func checkSheet(t *testing.T, name string, sheet element, styles int) {
	t.Helper()
	lastColumn, lastRow := 0, 0
	for _, c := range sheet.child("cols").Children {
		low, _ := strconv.Atoi(c.attr("min"))
		high, _ := strconv.Atoi(c.attr("max"))
		if width, err := strconv.ParseFloat(c.attr("width"), 64); err != nil || width <= 0 || width > mostWidth || low <= lastColumn || high < low || high > mostColumns {
			t.Errorf("%s: column %v", name, c.Attrs)
		}
		lastColumn = high
	}
	for _, row := range sheet.child("sheetData").Children {
		n, err := strconv.Atoi(row.attr("r"))
		if err != nil || n <= lastRow || n > 1_048_576 {
			t.Fatalf("%s: row %v after %d", name, row.Attrs, lastRow)
		}
		lastRow, lastColumn = n, 0
		for _, c := range row.Children {
			at := cellName.FindStringSubmatch(c.attr("r"))
			if at == nil || at[2] != strconv.Itoa(n) || columnOf(at[1]) <= lastColumn || columnOf(at[1]) > mostColumns {
				t.Fatalf("%s: cell %v in row %d", name, c.Attrs, n)
			}
			lastColumn = columnOf(at[1])
			if s := c.attr("s"); s != "" {
				if style, err := strconv.Atoi(s); err != nil || style < 0 || style >= styles {
					t.Errorf("%s: cell %v of %d styles", name, c.Attrs, styles)
				}
			}
			checkCell(t, name+" "+at[0], c)
		}
	}
}

func checkCell(t *testing.T, at string, c element) {
	t.Helper()
	v := c.child("v").Text
	switch c.attr("t") {
	case "inlineStr":
		text := c.child("is").child("t")
		if len(c.Children) != 1 || text.XMLName.Local == "" || len([]rune(text.Text)) > mostCellText {
			t.Errorf("%s: a text of %d bytes: %v", at, len(text.Text), c.Children)
		}
		if strings.TrimSpace(text.Text) != text.Text && text.attr("space") != "preserve" {
			t.Errorf("%s: space around %q would be lost", at, text.Text)
		}
	case "b":
		if v != "0" && v != "1" {
			t.Errorf("%s: a boolean %q", at, v)
		}
	case "":
		digits := strings.TrimLeft(strings.Replace(strings.TrimPrefix(v, "-"), ".", "", 1), "0")
		if strings.Contains(v, ".") {
			digits = strings.TrimRight(digits, "0")
		}
		if n, err := strconv.ParseFloat(v, 64); err != nil || math.IsInf(n, 0) || !plainNumber.MatchString(v) || len(digits) > 17 {
			t.Errorf("%s: a number %q", at, v)
		}
	default:
		t.Errorf("%s: a cell of type %q", at, c.attr("t"))
	}
}

// Excel cannot be run here: these are its demands in which it is stricter than LibreOffice, from ECMA-376.
func TestThePartsOfAWorkbookAreAsExcelDemands(t *testing.T) {
	t.Parallel()
	hostile := oddHead(autumn.Period())
	hostile.Title = market.Text{FR: "a\x00\x0b\x1f\ufffe\xff_x0041_ <&>", EN: "a"}
	texts := oddChunk(autumn.Start().Unix())
	texts.Keys = [][]string{{" \t\r\n\x07 ", strings.Repeat("😀", mostCellText)}}
	texts.Columns[0].Numbers = []float64{-123456789.123456, 0}
	for _, head := range append(heads(), hostile) {
		t.Run(string(head.Dataset), func(t *testing.T) {
			chunk, tail := texts, format.Tail{Missing: []format.Missing{{Date: autumn, Expected: 100, Received: 2, Reason: "partial"}}}
			if head.Title.EN != "a" {
				chunk = wholeDate(head, autumn).Slice(0, 100)
			}
			var file bytes.Buffer
			if err := write(&file, format.XLSX, head, format.Options{}, tail, chunk); err != nil {
				t.Fatal(err)
			}
			names, parts := partsOf(t, file.Bytes())
			for _, name := range names {
				checkOrder(t, name, parts[name])
			}
			targets := checkPackage(t, names, parts)
			styles := parts["xl/styles.xml"]
			for _, xf := range styles.child("cellXfs").Children {
				for attr, of := range map[string]string{"fontId": "fonts", "fillId": "fills", "borderId": "borders", "xfId": "cellStyleXfs"} {
					if n, err := strconv.Atoi(xf.attr(attr)); err != nil || n >= len(styles.child(of).Children) {
						t.Errorf("a style has %s %q", attr, xf.attr(attr))
					}
				}
			}
			for i, pattern := range []string{"none", "gray125"} { // Excel takes the first two fills for these, whatever they are
				if got := styles.child("fills").Children[i].child("patternFill").attr("patternType"); got != pattern {
					t.Errorf("fill %d is %q", i, got)
				}
			}
			workbook := parts["xl/workbook.xml"]
			if system := workbook.child("workbookPr").attr("date1904"); system != "" && system != "0" {
				t.Errorf("days are counted from 1904: %q", system)
			}
			seen := map[string]bool{}
			for _, sheet := range workbook.child("sheets").Children {
				name, id := sheet.attr("name"), ""
				for _, a := range sheet.Attrs {
					if a.Name.Local == "id" {
						id = a.Value
					}
				}
				if name == "" || len(name) > mostSheetName || strings.ContainsAny(name, `[]:*?/\`) || strings.Trim(name, "'") != name ||
					seen[strings.ToLower(name)] || seen[sheet.attr("sheetId")] {
					t.Errorf("a sheet %v", sheet.Attrs)
				}
				seen[strings.ToLower(name)], seen[sheet.attr("sheetId")] = true, true
				checkSheet(t, fmt.Sprintf("%s (%s)", name, targets[id]), parts[targets[id]], len(styles.child("cellXfs").Children))
			}
			if len(seen) != 4 {
				t.Errorf("the sheets are %v", seen)
			}
		})
	}
}
