package format_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"courant/server/api/format"
	"courant/store/market"
)

// oddHead has a key and a column of each kind.
func oddHead(period market.Period) format.Head {
	return format.Head{
		Dataset: "odd", Title: market.Text{FR: "Série d’essai", EN: "Test series"}, Source: "RTE", Attribution: "Source: RTE",
		Period: period, Resolution: "native", Position: 42, GeneratedAt: time.Date(2026, 11, 28, 12, 0, 0, 5e6, time.UTC),
		Keys: []market.ServedKey{{Name: "direction", Text: market.Text{FR: "Sens", EN: "Direction"}}},
		Columns: []market.ServedColumn{
			{Name: "price_eur_mwh", Kind: market.KindNumber, Unit: market.EURPerMWh, Text: market.Text{FR: "Prix", EN: "Price"}},
			{Name: "price_count", Kind: market.KindInteger, Text: market.Text{FR: "Nombre", EN: "Count"}},
			{Name: "connected", Kind: market.KindBoolean, Text: market.Text{FR: "Connecté", EN: "Connected"}},
			{Name: "status", Kind: market.KindString, Text: market.Text{FR: "État", EN: "Status"}},
			{Name: "updated_at", Kind: market.KindInstant, Text: market.Text{FR: "Mis à jour", EN: "Updated"}},
		},
	}
}

// oddChunk is two quarter hours: the first has a value in each column, the second none.
func oddChunk(first int64) market.Chunk {
	valid := []bool{true, false}
	return market.Chunk{
		Starts: []int64{first, first + 900}, Ends: []int64{first + 900, first + 1800},
		Keys: [][]string{{"UPWARD", "DOWNWARD"}},
		Columns: []market.Vector{
			{Kind: market.KindNumber, Valid: valid, Numbers: []float64{-0.01, 0}},
			{Kind: market.KindInteger, Valid: valid, Integers: []int64{3, 0}},
			{Kind: market.KindBoolean, Valid: valid, Flags: []bool{false, false}},
			{Kind: market.KindString, Valid: valid, Texts: []string{`=a;"b",c`, ""}},
			{Kind: market.KindInstant, Valid: valid, Instants: []int64{first*1000 + 250, 0}},
		},
	}
}

var (
	spring = market.NewDeliveryDate(2026, 3, 29)
	autumn = market.NewDeliveryDate(2026, 10, 25)
)

// changes are the instants at which the clock changes on those dates.
var changes = map[market.DeliveryDate]int64{
	spring: time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC).Unix(),
	autumn: time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC).Unix(),
}

func TestRowsOfBothClockChangesInEachForm(t *testing.T) {
	const head = `"columns":[{"name":"%s","type":"instant","unit":null,"description":"%s"},` +
		`{"name":"%s","type":"instant","unit":null,"description":"%s"},` +
		`{"name":"direction","type":"string","unit":null,"description":"Direction"},` +
		`{"name":"price_eur_mwh","type":"number","unit":"EUR/MWh","description":"Price"},` +
		`{"name":"price_count","type":"integer","unit":null,"description":"Count"},` +
		`{"name":"connected","type":"boolean","unit":null,"description":"Connected"},` +
		`{"name":"status","type":"string","unit":null,"description":"Status"},` +
		`{"name":"updated_at","type":"instant","unit":null,"description":"Updated"}],`
	inUTC := fmt.Sprintf(head, "period_start_utc", "Start of the period, UTC", "period_end_utc", "End of the period, UTC")
	inParis := fmt.Sprintf(head, "period_start", "Start of the period", "period_end", "End of the period")
	const names = ",direction,price_eur_mwh,price_count,connected,status,updated_at\r\n"
	const missing = `"missing":[{"date":"2026-10-25","expected":100,"received":2,"reason":"late"}],"next":"/next?a=1&b=2"}`
	tests := []struct {
		form    format.Form
		options format.Options
		date    market.DeliveryDate
		want    string
	}{
		{format.JSON, format.Options{}, autumn, `{"dataset":"odd","from":"2026-10-24T22:00:00.000Z","to":"2026-10-25T23:00:00.000Z",` +
			`"resolution":"native","time_zone":"UTC","as_of":null,"generated_at":"2026-11-28T12:00:00.005Z","position":42,` +
			`"attribution":"Source: RTE",` + inUTC + `"rows":[` +
			`{"period_start_utc":"2026-10-25T00:45:00.000Z","period_end_utc":"2026-10-25T01:00:00.000Z","direction":"UPWARD",` +
			`"price_eur_mwh":-0.01,"price_count":3,"connected":false,"status":"=a;\"b\",c","updated_at":"2026-10-25T00:45:00.250Z"},` +
			`{"period_start_utc":"2026-10-25T01:00:00.000Z","period_end_utc":"2026-10-25T01:15:00.000Z","direction":"DOWNWARD",` +
			`"price_eur_mwh":null,"price_count":null,"connected":null,"status":null,"updated_at":null}],` + missing},
		{format.Columns, format.Options{Zone: format.Paris}, spring, `{"dataset":"odd","from":"2026-03-29T00:00:00.000+01:00",` +
			`"to":"2026-03-30T00:00:00.000+02:00","resolution":"native","time_zone":"Europe/Paris","as_of":null,` +
			`"generated_at":"2026-11-28T13:00:00.005+01:00","position":42,"attribution":"Source: RTE",` + inParis + `"data":{` +
			`"period_start":["2026-03-29T01:45:00.000+01:00","2026-03-29T03:00:00.000+02:00"],` +
			`"period_end":["2026-03-29T03:00:00.000+02:00","2026-03-29T03:15:00.000+02:00"],` +
			`"direction":["UPWARD","DOWNWARD"],"price_eur_mwh":[-0.01,null],"price_count":[3,null],"connected":[false,null],` +
			`"status":["=a;\"b\",c",null],"updated_at":["2026-03-29T01:45:00.250+01:00",null]},` + missing},
		{format.NDJSON, format.Options{Zone: format.Paris}, autumn,
			`{"period_start":"2026-10-25T02:45:00.000+02:00","period_end":"2026-10-25T02:00:00.000+01:00","direction":"UPWARD",` +
				`"price_eur_mwh":-0.01,"price_count":3,"connected":false,"status":"=a;\"b\",c",` +
				`"updated_at":"2026-10-25T02:45:00.250+02:00"}` + "\n" +
				`{"period_start":"2026-10-25T02:00:00.000+01:00","period_end":"2026-10-25T02:15:00.000+01:00","direction":"DOWNWARD",` +
				`"price_eur_mwh":null,"price_count":null,"connected":null,"status":null,"updated_at":null}` + "\n"},
		{format.CSV, format.Options{}, spring, "period_start_utc,period_end_utc" + names +
			`2026-03-29T00:45:00.000Z,2026-03-29T01:00:00.000Z,UPWARD,-0.01,3,false,"'=a;""b"",c",2026-03-29T00:45:00.250Z` + "\r\n" +
			`2026-03-29T01:00:00.000Z,2026-03-29T01:15:00.000Z,DOWNWARD,,,,,` + "\r\n"},
		{format.CSV, format.Options{Zone: format.Paris, Null: `\N`}, autumn, "period_start,period_end" + names +
			`2026-10-25T02:45:00.000+02:00,2026-10-25T02:00:00.000+01:00,UPWARD,-0.01,3,false,` +
			`"'=a;""b"",c",2026-10-25T02:45:00.250+02:00` + "\r\n" +
			`2026-10-25T02:00:00.000+01:00,2026-10-25T02:15:00.000+01:00,DOWNWARD,\N,\N,\N,\N,\N` + "\r\n"},
		{format.FrenchCSV, format.Options{Zone: format.Paris}, autumn, "\ufeffperiod_start_utc;period_start;period_end;utc_offset" +
			strings.ReplaceAll(names, ",", ";") +
			`2026-10-25T00:45:00.000Z;2026-10-25 02:45:00;2026-10-25 02:00:00;+02:00;UPWARD;-0,01;3;false;` +
			`"'=a;""b"",c";2026-10-25T00:45:00.250Z` + "\r\n" +
			`2026-10-25T01:00:00.000Z;2026-10-25 02:00:00;2026-10-25 02:15:00;+01:00;DOWNWARD;;;;;` + "\r\n"},
		{format.FrenchCSV, format.Options{}, spring, "\ufeffperiod_start_utc;period_start;period_end;utc_offset" +
			strings.ReplaceAll(names, ",", ";") +
			`2026-03-29T00:45:00.000Z;2026-03-29 01:45:00;2026-03-29 03:00:00;+01:00;UPWARD;-0,01;3;false;` +
			`"'=a;""b"",c";2026-03-29T00:45:00.250Z` + "\r\n" +
			`2026-03-29T01:00:00.000Z;2026-03-29 03:00:00;2026-03-29 03:15:00;+02:00;DOWNWARD;;;;;` + "\r\n"},
	}
	tail := format.Tail{Next: "/next?a=1&b=2", Missing: []format.Missing{{Date: autumn, Expected: 100, Received: 2, Reason: "late"}}}
	for _, test := range tests {
		t.Run(string(test.form)+test.date.String(), func(t *testing.T) {
			var got bytes.Buffer
			head, chunk := oddHead(test.date.Period()), oddChunk(changes[test.date]-900)
			if err := write(&got, test.form, head, test.options, tail, chunk); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got.String()); diff != "" {
				t.Error(diff)
			}
			var apart bytes.Buffer
			if err := write(&apart, test.form, head, test.options, tail, part(chunk, 0, 1), market.Chunk{
				Keys: make([][]string, 1), Columns: part(chunk, 0, 0).Columns,
			}, part(chunk, 1, 2)); err != nil {
				t.Fatal(err)
			}
			if apart.String() != got.String() {
				t.Errorf("in three chunks\n%s", apart.String())
			}
		})
	}
}

// part returns the rows from from to to, not included.
func part(chunk market.Chunk, from, to int) market.Chunk {
	p := market.Chunk{Starts: chunk.Starts[from:to], Ends: chunk.Ends[from:to]}
	for _, key := range chunk.Keys {
		p.Keys = append(p.Keys, key[from:to])
	}
	for _, v := range chunk.Columns {
		cut := market.Vector{Kind: v.Kind, Valid: v.Valid[from:to]}
		switch v.Kind {
		case market.KindNumber:
			cut.Numbers = v.Numbers[from:to]
		case market.KindInteger:
			cut.Integers = v.Integers[from:to]
		case market.KindBoolean:
			cut.Flags = v.Flags[from:to]
		case market.KindString:
			cut.Texts = v.Texts[from:to]
		case market.KindInstant:
			cut.Instants = v.Instants[from:to]
		}
		p.Columns = append(p.Columns, cut)
	}
	return p
}

func TestAnswersWithoutRows(t *testing.T) {
	head := oddHead(autumn.Period())
	want := map[format.Form]string{
		format.JSON: `"rows":[],"missing":[],"next":null}`, format.NDJSON: "",
		format.Columns: `"data":{"period_start_utc":[],"period_end_utc":[],"direction":[],"price_eur_mwh":[],"price_count":[],` +
			`"connected":[],"status":[],"updated_at":[]},"missing":[],"next":null}`,
		format.CSV:       "status,updated_at\r\n",
		format.FrenchCSV: "status;updated_at\r\n",
	}
	for form, end := range want {
		var got bytes.Buffer
		if err := write(&got, form, head, format.Options{}, format.Tail{}); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(got.String(), end) || end == "" && got.Len() > 0 {
			t.Errorf("%s: %s", form, got.String())
		}
	}
	if rows := readXLSX(t, writeTo(t, format.XLSX, head, format.Options{}))[0]; len(rows) != 10 {
		t.Errorf("xlsx: %v", rows)
	}
	if file := openParquet(t, writeTo(t, format.Parquet, head, format.Options{})); file.NumRows() != 0 || len(file.Schema().Columns()) != 8 {
		t.Errorf("parquet: %d rows of %v", file.NumRows(), file.Schema().Columns())
	}
}

func writeTo(t *testing.T, form format.Form, head format.Head, o format.Options, chunks ...market.Chunk) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out, form, head, o, format.Tail{}, chunks...); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sheetCell is a cell of a sheet: its text, its type and its style.
type sheetCell struct{ text, kind, style string }

// readXLSX returns the cells of the two sheets by their names.
func readXLSX(t *testing.T, file []byte) [2]map[string]sheetCell {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var sheets [2]map[string]sheetCell
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		var sheet struct {
			Rows []struct {
				R     string `xml:"r,attr"`
				Cells []struct {
					R string `xml:"r,attr"`
					T string `xml:"t,attr"`
					S string `xml:"s,attr"`
					V string `xml:"v"`
					I string `xml:"is>t"`
				} `xml:"c"`
			} `xml:"sheetData>row"`
		}
		if err := xml.Unmarshal(text, &sheet); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		at := strings.Index("12", strings.TrimSuffix(strings.TrimPrefix(f.Name, "xl/worksheets/sheet"), ".xml"))
		if at < 0 {
			continue
		}
		sheets[at] = map[string]sheetCell{}
		for _, row := range sheet.Rows {
			for _, c := range row.Cells {
				if strings.TrimLeft(c.R, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != row.R {
					t.Errorf("cell %s in row %s", c.R, row.R)
				}
				sheets[at][c.R] = sheetCell{c.V + c.I, c.T, c.S}
			}
		}
	}
	return sheets
}

func openParquet(t *testing.T, file []byte) *parquet.File {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSheetOfBothClockChanges(t *testing.T) {
	for date, want := range map[market.DeliveryDate][2]string{
		spring: {"2026-03-29T00:45:00.000Z 2026-03-29T01:45:00 2026-03-29T03:00:00 +01:00",
			"2026-03-29T01:00:00.000Z 2026-03-29T03:00:00 2026-03-29T03:15:00 +02:00"},
		autumn: {"2026-10-25T00:45:00.000Z 2026-10-25T02:45:00 2026-10-25T02:00:00 +02:00",
			"2026-10-25T01:00:00.000Z 2026-10-25T02:00:00 2026-10-25T02:15:00 +01:00"},
	} {
		var file bytes.Buffer
		tail := format.Tail{Missing: []format.Missing{{Date: date, Expected: 92, Received: 2, Reason: "late"}}}
		err := write(&file, format.XLSX, oddHead(date.Period()), format.Options{French: true}, tail, oddChunk(changes[date]-900))
		if err != nil {
			t.Fatal(err)
		}
		sheets := readXLSX(t, file.Bytes())
		data, about := sheets[0], sheets[1]
		header := ""
		for i := range 10 {
			header += data[string(rune('A'+i))+"1"].text + " "
		}
		if header != "period_start_utc period_start period_end utc_offset direction price_eur_mwh price_count connected status updated_at " {
			t.Errorf("header %s", header)
		}
		for i, want := range want {
			row := strconv.Itoa(i + 2)
			got := []string{data["A"+row].text, shownTime(t, data["B"+row]), shownTime(t, data["C"+row]), data["D"+row].text}
			if strings.Join(got, " ") != want {
				t.Errorf("%v, want %s", got, want)
			}
		}
		values := []sheetCell{data["E2"], data["F2"], data["G2"], data["H2"], data["I2"], data["J2"]}
		start := time.Unix(changes[date]-900, 0).UTC().Format("2006-01-02T15:04:05") + ".250Z"
		if diff := cmp.Diff([]sheetCell{
			{"UPWARD", "inlineStr", ""}, {"-0.01", "", ""}, {"3", "", ""}, {"0", "b", ""},
			{`=a;"b",c`, "inlineStr", "3"}, {start, "inlineStr", ""},
		}, values, cmp.AllowUnexported(sheetCell{})); diff != "" {
			t.Error(diff)
		}
		for _, column := range "FGHIJ" {
			if c, is := data[string(column)+"3"]; is {
				t.Errorf("a null is the cell %v", c)
			}
		}
		if about["A1"].text != "Jeu de données" || about["B1"].text != "odd" || about["B4"].text != "Source: RTE" ||
			about["A10"].text != "Lignes" || about["B10"].text != "2" || about["A18"].text != "price_eur_mwh" || about["C18"].text != "EUR/MWh" ||
			about["A25"].text != date.String() || about["C25"].text != "2" || about["D25"].text != "late" {
			t.Errorf("about: %v", about)
		}
	}
}

// shownTime returns the time that a cell with a number of days since 1899-12-30 shows.
func shownTime(t *testing.T, c sheetCell) string {
	t.Helper()
	days, err := strconv.ParseFloat(c.text, 64)
	if err != nil || c.kind != "" || c.style != "2" {
		t.Fatalf("cell %v: %v", c, err)
	}
	// A spreadsheet cuts below the second what is not within a millisecond of the next one.
	seconds := int64(math.Floor(days*86400 + 1e-3))
	return time.Unix(seconds-25569*86400, 0).UTC().Format("2006-01-02T15:04:05")
}

func TestParquetHasTheTypesOfTheRegistryWhateverTheValues(t *testing.T) {
	head := oddHead(autumn.Period())
	empty := part(oddChunk(0), 0, 0)
	for zone, names := range map[format.Zone][2]string{
		format.UTC: {"period_start_utc", "period_end_utc"}, format.Paris: {"period_start", "period_end"},
	} {
		for _, number := range []string{"int64 price_eur_mwh (DECIMAL(18,6))", "double price_eur_mwh"} {
			want := fmt.Sprintf(`message rows {
	required int64 %s (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));
	required int64 %s (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));
	required binary direction (STRING);
	optional %s;
	optional int64 price_count (INT(64,true));
	optional boolean connected;
	optional binary status (STRING);
	optional int64 updated_at (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));
}`, names[0], names[1], number)
			o := format.Options{Zone: zone, Doubles: strings.HasPrefix(number, "double")}
			for _, chunk := range []market.Chunk{empty, oddChunk(changes[autumn]), part(oddChunk(0), 1, 2)} {
				if got := openParquet(t, writeTo(t, format.Parquet, head, o, chunk)).Schema().String(); got != want {
					t.Errorf("%s", cmp.Diff(want, got))
				}
			}
		}
	}
}

func TestParquetDescribesItsRows(t *testing.T) {
	head := oddHead(autumn.Period())
	head.Simulated, head.AsOf = true, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	tail := format.Tail{Missing: []format.Missing{{Date: autumn, Expected: 100, Received: 2, Reason: "late"}}}
	if err := write(&out, format.Parquet, head, format.Options{}, tail, oddChunk(changes[autumn])); err != nil {
		t.Fatal(err)
	}
	file := openParquet(t, out.Bytes())
	for name, want := range map[string]string{
		"dataset": "odd", "title": "Test series", "source": "RTE", "attribution": "Source: RTE", "generated_at": "2026-11-28T12:00:00.005Z",
		"position": "42", "from": "2026-10-24T22:00:00.000Z", "to": "2026-10-25T23:00:00.000Z", "resolution": "native", "time_zone": "UTC",
		"as_of": "2026-11-01T00:00:00.000Z", "simulated": "true", "unit.price_eur_mwh": "EUR/MWh", "description.price_eur_mwh": "Price",
		"missing": `[{"date":"2026-10-25","expected":100,"received":2,"reason":"late"}]`,
	} {
		if got, _ := file.Lookup(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if _, is := file.Lookup("unit.status"); is {
		t.Error("a text has a unit")
	}
	for i, column := range file.Metadata().RowGroups[0].Columns {
		if codec := column.MetaData.Codec.String(); codec != "ZSTD" {
			t.Errorf("%v is compressed with %s", column.MetaData.PathInSchema, codec)
		}
		if encodings := fmt.Sprint(column.MetaData.Encoding); i == 3 && !strings.Contains(encodings, "DELTA_BINARY_PACKED") {
			t.Errorf("%v is encoded with %s", column.MetaData.PathInSchema, encodings)
		}
	}
}

func TestParquetWritesZeroAsZeroAndNullAsNull(t *testing.T) {
	head := oddHead(autumn.Period())
	chunk := oddChunk(changes[autumn])
	chunk.Columns[0].Numbers[0] = 0
	for _, doubles := range []bool{false, true} {
		file := openParquet(t, writeTo(t, format.Parquet, head, format.Options{Doubles: doubles}, chunk))
		prices := parquetColumn(t, file, 3)
		if prices[0].IsNull() || prices[0].Uint64() != 0 || !prices[1].IsNull() {
			t.Errorf("doubles %v: %v", doubles, prices)
		}
	}
}

// parquetColumn returns the values of a column.
func parquetColumn(t *testing.T, file *parquet.File, at int) []parquet.Value {
	t.Helper()
	var all []parquet.Value
	for _, group := range file.RowGroups() {
		pages := group.ColumnChunks()[at].Pages()
		for {
			page, err := pages.ReadPage()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			values := make([]parquet.Value, page.NumValues())
			if n, err := page.Values().ReadValues(values); n != len(values) {
				t.Fatal(n, err)
			}
			for _, v := range values {
				all = append(all, v.Clone())
			}
		}
		pages.Close()
	}
	return all
}

func TestParquetRefusesWhatItsDecimalsCannotHold(t *testing.T) {
	head, chunk := oddHead(autumn.Period()), oddChunk(changes[autumn])
	chunk.Columns[0].Numbers[0] = 1e12
	err := write(io.Discard, format.Parquet, head, format.Options{}, format.Tail{}, chunk)
	if err == nil || !strings.Contains(err.Error(), "price_eur_mwh") || !strings.Contains(err.Error(), "numbers=double") {
		t.Error(err)
	}
	if err := write(io.Discard, format.Parquet, head, format.Options{Doubles: true}, format.Tail{}, chunk); err != nil {
		t.Error(err)
	}
}

func TestTextsThatLookLikeFormulasArePlainInSpreadsheets(t *testing.T) {
	head := oddHead(autumn.Period())
	for _, text := range []string{"=1+1", "+1", "-1", "@a", "\tb", "\rc"} {
		chunk := part(oddChunk(changes[autumn]), 0, 1)
		chunk.Keys[0][0], chunk.Columns[3].Texts[0] = text, text
		for _, form := range []format.Form{format.CSV, format.FrenchCSV} {
			if got := string(writeTo(t, form, head, format.Options{}, chunk)); strings.Count(got, "'"+text) != 2 {
				t.Errorf("%s: %s", form, got)
			}
		}
		data := readXLSX(t, writeTo(t, format.XLSX, head, format.Options{}, chunk))[0]
		for _, name := range []string{"E2", "I2"} {
			if c := data[name]; c.kind != "inlineStr" || c.style != "3" || strings.ReplaceAll(c.text, "_x000D_", "\r") != text {
				t.Errorf("xlsx: %v", c)
			}
		}
	}
}

func TestTextsThatAreNotUTF8AreReplacedInTextForms(t *testing.T) {
	chunk := part(oddChunk(changes[autumn]), 0, 1)
	chunk.Keys[0][0], chunk.Columns[3].Texts[0] = "a\xffb", "\xc3"
	for _, form := range []format.Form{format.JSON, format.NDJSON, format.CSV, format.FrenchCSV} {
		got := string(writeTo(t, form, oddHead(autumn.Period()), format.Options{}, chunk))
		if !utf8.ValidString(got) || !strings.Contains(got, "a\ufffdb") {
			t.Errorf("%s: %q", form, got)
		}
	}
}

func TestTextsOfASheetAreXML(t *testing.T) {
	for text, want := range map[string]string{
		"a<b>&\"c\"": "a<b>&\"c\"", " a ": " a ", "a\x00\x1fb": "a_x0000__x001F_b", "_x0041_": "_x005F_x0041_", "_x41_ _": "_x41_ _",
		"\uffff": "\ufffd", "é€😀": "é€😀", "a\xffb": "a\ufffdb", strings.Repeat("é", 40_000): strings.Repeat("é", 32_767),
		strings.Repeat("😀", 20_000): strings.Repeat("😀", 16_383),
	} {
		chunk := part(oddChunk(changes[autumn]), 0, 1)
		chunk.Columns[3].Texts[0] = text
		data := readXLSX(t, writeTo(t, format.XLSX, oddHead(autumn.Period()), format.Options{}, chunk))[0]
		if got := data["I2"].text; got != want {
			t.Errorf("%.40q is %.40q", text, got)
		}
	}
}

func TestTheHeaderOfASheetStaysInViewAndItsColumnsAreWideEnough(t *testing.T) {
	file := writeTo(t, format.XLSX, oddHead(autumn.Period()), format.Options{}, oddChunk(changes[autumn]))
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var sheet struct {
		Pane struct {
			YSplit string `xml:"ySplit,attr"`
			State  string `xml:"state,attr"`
		} `xml:"sheetViews>sheetView>pane"`
		Widths []struct {
			Min   int     `xml:"min,attr"`
			Width float64 `xml:"width,attr"`
		} `xml:"cols>col"`
	}
	part, err := z.Open("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.NewDecoder(part).Decode(&sheet); err != nil {
		t.Fatal(err)
	}
	if sheet.Pane.YSplit != "1" || sheet.Pane.State != "frozen" || len(sheet.Widths) != 10 {
		t.Errorf("%+v", sheet)
	}
	for i, least := range []float64{24, 19, 19, 10, 9, 13, 11, 9, 6, 24} {
		if w := sheet.Widths[i]; w.Min != i+1 || w.Width < least {
			t.Errorf("column %d: %+v", i+1, w)
		}
	}
}

func TestSheetsHaveMoreColumnsThanLetters(t *testing.T) {
	head, chunk := oddHead(autumn.Period()), part(oddChunk(changes[autumn]), 0, 1)
	for len(head.Columns) < 60 {
		head.Columns, chunk.Columns = append(head.Columns, head.Columns[1]), append(chunk.Columns, chunk.Columns[1])
	}
	data := readXLSX(t, writeTo(t, format.XLSX, head, format.Options{}, chunk))[0]
	for _, name := range []string{"Z2", "AA2", "AZ2", "BA2", "BM2"} {
		if data[name].text != "3" {
			t.Errorf("%s is %v", name, data[name])
		}
	}
	if len(data) != 130 {
		t.Errorf("%d cells: %v", len(data), data)
	}
}

func TestNullTextIsDistinguishedFromTheSameTextOfASource(t *testing.T) {
	chunk := part(oddChunk(changes[autumn]), 0, 1)
	chunk.Columns[3].Texts[0], chunk.Columns[1].Valid = "NA", []bool{false}
	got := string(writeTo(t, format.CSV, oddHead(autumn.Period()), format.Options{Null: "NA"}, chunk))
	if !strings.Contains(got, `UPWARD,-0.01,NA,false,"NA",`) {
		t.Error(got)
	}
	got = string(writeTo(t, format.FrenchCSV, oddHead(autumn.Period()), format.Options{Null: "a;b"}, chunk))
	if !strings.Contains(got, `UPWARD;-0,01;"a;b";false;NA;`) {
		t.Error(got)
	}
}

func TestAFormRefusesMoreRowsThanItCanTake(t *testing.T) {
	head, chunk := format.Head{Dataset: "odd", Resolution: "native"}, market.Chunk{Starts: make([]int64, 1000), Ends: make([]int64, 1000)}
	w := format.New(format.Columns, io.Discard, head, format.Options{})
	for range format.Columns.MostRows() / 1000 {
		if err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(part(chunk, 0, 1)); !errors.Is(err, format.ErrTooManyRows) {
		t.Error(err)
	}
	if format.XLSX.MostRows() != 1_048_575 || format.Columns.MostRows() != 1_000_000 || format.JSON.MostRows() != 0 {
		t.Error("other limits")
	}
}

func TestAChunkUnlikeItsHeadIsAnError(t *testing.T) {
	for name, change := range map[string]func(*market.Chunk){
		"ends":    func(c *market.Chunk) { c.Ends = c.Ends[:1] },
		"keys":    func(c *market.Chunk) { c.Keys = nil },
		"key":     func(c *market.Chunk) { c.Keys[0] = c.Keys[0][:1] },
		"columns": func(c *market.Chunk) { c.Columns = c.Columns[:4] },
		"kind":    func(c *market.Chunk) { c.Columns[0], c.Columns[1] = c.Columns[1], c.Columns[0] },
		"valid":   func(c *market.Chunk) { c.Columns[0].Valid = nil },
		"values":  func(c *market.Chunk) { c.Columns[4].Instants = nil },
		"NaN":     func(c *market.Chunk) { c.Columns[0].Numbers[0] = math.NaN() },
		"Inf":     func(c *market.Chunk) { c.Columns[0].Numbers[0] = math.Inf(-1) },
	} {
		for _, form := range format.All() {
			chunk := oddChunk(changes[autumn])
			change(&chunk)
			if err := write(io.Discard, form, oddHead(autumn.Period()), format.Options{}, format.Tail{}, chunk); err == nil {
				t.Errorf("%s: %s is no error", form, name)
			}
		}
	}
}

// failing is a writer that fails after some bytes.
type failing struct{ left int }

var errFull = errors.New("full")

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestFaultsOfTheConnectionAreReturned(t *testing.T) {
	head, chunk := oddHead(autumn.Period()), oddChunk(changes[autumn])
	for _, form := range format.All() {
		whole := len(writeTo(t, form, head, format.Options{}, chunk))
		for left := 0; left < whole; left += max(1, whole/20) {
			if err := write(&failing{left}, form, head, format.Options{}, format.Tail{}, chunk); !errors.Is(err, errFull) {
				t.Fatalf("%s: %v after %d of %d bytes", form, err, left, whole)
			}
		}
	}
}

func TestEachFormPassesBytesOnWithTheFirstChunk(t *testing.T) {
	for _, form := range format.All() {
		var out bytes.Buffer
		w := format.New(form, &out, oddHead(autumn.Period()), format.Options{})
		if err := w.Write(oddChunk(changes[autumn])); err != nil || out.Len() == 0 {
			t.Errorf("%s: %d bytes, %v", form, out.Len(), err)
		}
	}
}

func TestFormsHaveNamesTypesAndEndings(t *testing.T) {
	if all := format.All(); !slices.Equal(all, []format.Form{"json", "columns", "ndjson", "csv", "csv-fr", "xlsx", "parquet"}) {
		t.Error(all)
	}
	for _, form := range format.All() {
		if form.ContentType() == "" || form.Extension() == "" {
			t.Errorf("%s: %s %s", form, form.ContentType(), form.Extension())
		}
	}
	if !format.XLSX.IsCompressed() || format.CSV.IsCompressed() || !format.CSV.IsFile() || format.NDJSON.IsFile() {
		t.Error("properties")
	}
}
