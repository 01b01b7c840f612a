package format_test

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"courant/server/api/format"
	"courant/store/market"
)

// drawChunk draws rows of a head on the two days of clock changes.
func drawChunk(t *rapid.T, head format.Head) market.Chunk {
	var chunk market.Chunk
	step := head.Dataset.Series().StepSeconds()
	start := changes[rapid.SampledFrom([]market.DeliveryDate{spring, autumn}).Draw(t, "date")]
	rows := rapid.IntRange(0, 12).Draw(t, "rows")
	for row := range rows {
		second := start + int64(row-rows/2)*step
		chunk.Starts, chunk.Ends = append(chunk.Starts, second), append(chunk.Ends, second+step)
	}
	for _, key := range head.Keys {
		key := rapid.SampledFrom(append([]string{"x", "é;,\"\n"}, key.Values...))
		chunk.Keys = append(chunk.Keys, rapid.SliceOfN(key, rows, rows).Draw(t, "key"))
	}
	number := rapid.Map(rapid.Int64Range(-200_000_000_000, 200_000_000_000), func(m int64) float64 { return float64(m) / 1e6 })
	for _, column := range head.Columns {
		v := market.Vector{Kind: column.Kind, Valid: rapid.SliceOfN(rapid.Bool(), rows, rows).Draw(t, "valid")}
		switch column.Kind {
		case market.KindNumber:
			v.Numbers = rapid.SliceOfN(number, rows, rows).Draw(t, "numbers")
		case market.KindInteger:
			v.Integers = rapid.SliceOfN(rapid.Int64(), rows, rows).Draw(t, "integers")
		case market.KindBoolean:
			v.Flags = rapid.SliceOfN(rapid.Bool(), rows, rows).Draw(t, "flags")
		case market.KindString:
			v.Texts = rapid.SliceOfN(rapid.StringMatching(`[a-zé";,&<_]{1,8}`), rows, rows).Draw(t, "texts")
		case market.KindInstant:
			v.Instants = rapid.SliceOfN(rapid.Int64Range(1.7e12, 1.9e12), rows, rows).Draw(t, "instants")
		}
		chunk.Columns = append(chunk.Columns, v)
	}
	return chunk
}

// heads are the datasets' heads, and one with a column of each kind.
func heads() []format.Head {
	var heads []format.Head
	for _, dataset := range market.Datasets() {
		heads = append(heads, headOf(dataset))
	}
	odd := oddHead(autumn.Period())
	odd.Dataset = market.MFRREnergy
	return append(heads, odd)
}

// kindsOf returns the kinds of a row's columns, period first.
func kindsOf(head format.Head) []market.Kind {
	kinds := []market.Kind{market.KindInstant, market.KindInstant}
	for range head.Keys {
		kinds = append(kinds, market.KindString)
	}
	for _, column := range head.Columns {
		kinds = append(kinds, column.Kind)
	}
	return kinds
}

// plain returns the values of a row, period first, as a reader that is right has them: nil, string, bool, or the exact number
// as a *big.Rat. Instants are RFC 3339 in UTC with milliseconds.
func plain(chunk market.Chunk, row int) []any {
	values := []any{instant(chunk.Starts[row] * 1000), instant(chunk.Ends[row] * 1000)}
	for _, key := range chunk.Keys {
		values = append(values, key[row])
	}
	for _, v := range chunk.Columns {
		switch {
		case !v.Valid[row]:
			values = append(values, nil)
		case v.Kind == market.KindNumber:
			values = append(values, rational(strconv.FormatFloat(v.Numbers[row], 'g', -1, 64)))
		case v.Kind == market.KindInteger:
			values = append(values, rational(strconv.FormatInt(v.Integers[row], 10)))
		case v.Kind == market.KindBoolean:
			values = append(values, v.Flags[row])
		case v.Kind == market.KindString:
			values = append(values, v.Texts[row])
		case v.Kind == market.KindInstant:
			values = append(values, instant(v.Instants[row]))
		}
	}
	return values
}

func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

func rational(text string) string {
	r, is := new(big.Rat).SetString(text)
	if !is {
		return "no number: " + text
	}
	return "number " + r.String()
}

// same compares rows with a chunk.
func same(t rapid.TB, form string, chunk market.Chunk, rows [][]any) {
	if len(rows) != chunk.Len() {
		t.Fatalf("%s: %d rows, want %d", form, len(rows), chunk.Len())
	}
	for row, got := range rows {
		if want := plain(chunk, row); !slices.Equal(got, want) {
			t.Fatalf("%s, row %d:\n%#v, want\n%#v", form, row, got, want)
		}
	}
}

// utc returns an instant with any offset in UTC.
func utc(t rapid.TB, text string) string {
	at, err := time.Parse("2006-01-02T15:04:05.000Z07:00", text)
	if err != nil {
		t.Fatal(err)
	}
	return instant(at.UnixMilli())
}

func TestEveryDatasetIsReadBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		head := rapid.SampledFrom(heads()).Draw(t, "head")
		chunk := drawChunk(t, head)
		zone := rapid.SampledFrom([]format.Zone{format.UTC, format.Paris}).Draw(t, "zone")
		readTexts(t, head, zone, chunk, rapid.IntRange(0, chunk.Len()).Draw(t, "cut"))
	})
}

func TestHoursOf4sStepsAreReadBackAsTheyWere(t *testing.T) {
	head, chunks := afrr(autumn, 1)
	readTexts(t, head, format.Paris, joined(chunks[1:4]), 900)
}

// joined makes one chunk of numbers and booleans of several.
func joined(chunks []market.Chunk) market.Chunk {
	var all market.Chunk
	for _, chunk := range chunks {
		all.Append(chunk)
	}
	return all
}

// readTexts writes the rows, cut into two chunks, in each form that is a text, and compares what is read with them.
func readTexts(t rapid.TB, head format.Head, zone format.Zone, chunk market.Chunk, cut int) {
	written := func(form format.Form, o format.Options) []byte {
		var out bytes.Buffer
		if err := write(&out, form, head, o, format.Tail{}, part(chunk, 0, cut), part(chunk, cut, chunk.Len())); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	kinds := kindsOf(head)
	same(t, "ndjson", chunk, fromNDJSON(t, written(format.NDJSON, format.Options{Zone: zone})))

	var answer struct {
		Columns []struct{ Name, Type string }
		Rows    []json.RawMessage
		Data    map[string][]json.RawMessage
	}
	if err := json.Unmarshal(written(format.JSON, format.Options{Zone: zone}), &answer); err != nil {
		t.Fatal(err)
	}
	var rows [][]any
	for _, row := range answer.Rows {
		rows = append(rows, fromNDJSON(t, row)...)
	}
	same(t, "json", chunk, rows)
	if err := json.Unmarshal(written(format.Columns, format.Options{Zone: zone}), &answer); err != nil {
		t.Fatal(err)
	}
	rows = make([][]any, chunk.Len())
	for i, column := range answer.Columns {
		if len(answer.Data[column.Name]) != chunk.Len() || column.Type != string(kinds[i]) {
			t.Fatalf("columns: %d values of %v", len(answer.Data[column.Name]), column)
		}
		for row, value := range answer.Data[column.Name] {
			rows[row] = append(rows[row], fromJSON(t, value))
		}
	}
	same(t, "columns", chunk, rows)

	same(t, "csv", chunk, fromCSV(t, written(format.CSV, format.Options{Zone: zone, Null: `\N`}), ',', `\N`, kinds))
	same(t, "csv-fr", chunk, fromCSV(t, written(format.FrenchCSV, format.Options{}), ';', "", kinds))
}

func fromNDJSON(t rapid.TB, lines []byte) [][]any {
	var rows [][]any
	for line := range bytes.Lines(lines) {
		decoder := json.NewDecoder(bytes.NewReader(line))
		if open, err := decoder.Token(); open != json.Delim('{') {
			t.Fatal(open, err)
		}
		var row []any
		for decoder.More() {
			var value json.RawMessage
			if _, err := decoder.Token(); err != nil {
				t.Fatal(err)
			}
			if err := decoder.Decode(&value); err != nil {
				t.Fatal(err)
			}
			row = append(row, fromJSON(t, value))
		}
		rows = append(rows, row)
	}
	return rows
}

func fromJSON(t rapid.TB, value json.RawMessage) any {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	switch v := v.(type) {
	case json.Number:
		return rational(v.String())
	case string:
		if strings.HasPrefix(v, "20") && len(v) >= 24 {
			return utc(t, v)
		}
		return v
	}
	return v
}

// fromCSV reads either CSV. Both texts and nulls are quoted alike for encoding/csv, so no text is drawn that is the null's.
func fromCSV(t rapid.TB, file []byte, comma rune, null string, kinds []market.Kind) [][]any {
	french := comma == ';'
	if french != bytes.HasPrefix(file, []byte("\ufeff")) || bytes.Count(file, []byte("\r\n")) == 0 {
		t.Fatal("no BOM or no CRLF")
	}
	reader := csv.NewReader(bytes.NewReader(file))
	reader.Comma = comma
	records, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]any
	for _, record := range records[1:] {
		if french {
			record = zoned(t, record)
		}
		if len(record) != len(kinds) {
			t.Fatalf("%d fields: %v", len(record), record)
		}
		var row []any
		for i, field := range record {
			switch {
			case field == null:
				row = append(row, nil)
			case kinds[i] == market.KindInstant:
				row = append(row, utc(t, field))
			case kinds[i] == market.KindBoolean:
				row = append(row, field == "true")
			case kinds[i] == market.KindString:
				row = append(row, field)
			default:
				if french {
					field = strings.Replace(field, ",", ".", 1)
				}
				row = append(row, rational(field))
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// zoned returns a record of csv-fr with start and end of the period as in csv. Start and UTC have to be one instant; the end
// has no offset of its own, and is the local time that follows the start most closely.
func zoned(t rapid.TB, record []string) []string {
	start, err := time.Parse("2006-01-02 15:04:05-07:00", record[1]+record[3])
	if err != nil || instant(start.UnixMilli()) != record[0] {
		t.Fatalf("%v is not %v: %v", record[1:4], record[0], err)
	}
	end := start
	for end.In(market.Paris).Format("2006-01-02 15:04:05") != record[2] {
		if end = end.Add(time.Second); end.Sub(start) > 24*time.Hour {
			t.Fatalf("no such end: %v", record)
		}
	}
	return append([]string{record[0], instant(end.UnixMilli())}, record[4:]...)
}

func TestWorkbooksAreReadBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		head := rapid.SampledFrom(heads()).Draw(rt, "head")
		chunk := drawChunk(rt, head)
		data := readXLSX(t, writeTo(t, format.XLSX, head, format.Options{}, chunk))[0]
		var rows [][]any
		for row := range chunk.Len() {
			var values []any
			for i, name := range cellNames(4+len(chunk.Keys)+len(chunk.Columns), row+2) {
				switch c, is := data[name]; {
				case i == 3 || i == 1:
				case i == 2:
					local := shownTime(t, c)
					end := time.Unix(chunk.Ends[row], 0).In(market.Paris)
					if local != end.Format("2006-01-02T15:04:05") {
						rt.Fatalf("%s is not %v", local, end)
					}
					values = append(values, instant(end.UnixMilli()))
				case !is:
					values = append(values, nil)
				case c.kind == "b":
					values = append(values, c.text == "1")
				case c.kind == "inlineStr":
					values = append(values, c.text)
				default:
					values = append(values, rational(c.text))
				}
			}
			start := time.Unix(chunk.Starts[row], 0).In(market.Paris)
			if c := data[fmt.Sprintf("B%d", row+2)]; shownTime(t, c) != start.Format("2006-01-02T15:04:05") {
				rt.Fatalf("%v is not %v", c, start)
			}
			rows = append(rows, values)
		}
		same(rt, "xlsx", chunk, rows)
	})
}

func cellNames(columns, row int) []string {
	var names []string
	for i := range columns {
		letters := string(rune('A' + i%26))
		if i >= 26 {
			letters = "A" + letters
		}
		names = append(names, fmt.Sprint(letters, row))
	}
	return names
}

func TestEachStepOfBothClockChangesIsARealTimeInAWorkbook(t *testing.T) {
	for date, at := range changes {
		head := format.Head{Dataset: market.AFRREnergy, Period: date.Period(), Resolution: "native"}
		var chunk market.Chunk
		for second := at - 2*3600; second < at+2*3600; second += market.AFRRSeconds {
			chunk.Starts, chunk.Ends = append(chunk.Starts, second), append(chunk.Ends, second+market.AFRRSeconds)
		}
		data := readXLSX(t, writeTo(t, format.XLSX, head, format.Options{}, chunk))[0]
		for row, second := range chunk.Starts {
			want := time.Unix(second, 0).In(market.Paris)
			got := shownTime(t, data[fmt.Sprintf("B%d", row+2)]) + data[fmt.Sprintf("D%d", row+2)].text
			if got != want.Format("2006-01-02T15:04:05-07:00") {
				t.Fatalf("%s, want %v", got, want)
			}
		}
	}
}

func TestParquetIsReadBackAsItWas(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		head := rapid.SampledFrom(heads()).Draw(rt, "head")
		chunk := drawChunk(rt, head)
		o := format.Options{Doubles: rapid.Bool().Draw(rt, "doubles")}
		same(rt, "parquet", chunk, fromParquet(t, openParquet(t, writeTo(t, format.Parquet, head, o, chunk)), kindsOf(head), o.Doubles))
	})
}

func TestRowGroupsOfParquetHaveABoundedSize(t *testing.T) {
	head, chunks := afrr(autumn, 6)
	head.Columns = head.Columns[:1]
	for i := range chunks {
		chunks[i].Columns = chunks[i].Columns[:1]
	}
	file := openParquet(t, writeTo(t, format.Parquet, head, format.Options{}, chunks...))
	var rows []int64
	for _, group := range file.RowGroups() {
		rows = append(rows, group.NumRows())
	}
	if want := []int64{122_880, int64(len(chunks))*900 - 122_880}; !slices.Equal(rows, want) {
		t.Errorf("groups of %v rows, want %v", rows, want)
	}
	all := joined(chunks)
	starts, prices := parquetColumn(t, file, 0), parquetColumn(t, file, 2)
	if len(starts) != all.Len() || len(prices) != all.Len() {
		t.Fatalf("%d starts and %d prices of %d rows", len(starts), len(prices), all.Len())
	}
	for row, second := range all.Starts {
		if micros := int64(market.MicroOf(all.Columns[0].Numbers[row])); starts[row].Int64() != second*1e6 || prices[row].Int64() != micros {
			t.Fatalf("row %d: %v %v", row, starts[row], prices[row])
		}
	}
}

func TestBytesOfParquetDoNotDependOnHowRowsAreDivided(t *testing.T) {
	head, chunks := afrr(autumn, 6)
	want := writeTo(t, format.Parquet, head, format.Options{}, chunks...)
	whole := joined(chunks)
	for _, size := range []int{whole.Len(), 8192, 9973} {
		var divided []market.Chunk
		for from := 0; from < whole.Len(); from += size {
			divided = append(divided, whole.Slice(from, min(from+size, whole.Len())))
		}
		if got := writeTo(t, format.Parquet, head, format.Options{}, divided...); !bytes.Equal(got, want) {
			t.Errorf("%d bytes in chunks of %d rows, %d in chunks of 900, or others", len(got), size, len(want))
		}
	}
}

func TestColumnChunksOfParquetHaveTheirBounds(t *testing.T) {
	head, chunks := afrr(autumn, 6)
	file := openParquet(t, writeTo(t, format.Parquet, head, format.Options{}, chunks...))
	all := joined(chunks)
	bound := func(value int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(value)) }
	for _, group := range file.Metadata().RowGroups {
		rows := all.Slice(0, int(group.NumRows))
		all = all.Slice(rows.Len(), all.Len())
		for at, column := range group.Columns {
			got := column.MetaData.Statistics
			var values []int64
			switch {
			case at == 0:
				values = rows.Starts
			case at == 1:
				values = rows.Ends
			case head.Columns[at-2].Kind == market.KindNumber:
				for row, n := range rows.Columns[at-2].Numbers {
					if rows.Columns[at-2].Valid[row] {
						values = append(values, int64(market.MicroOf(n)))
					}
				}
			default:
				if len(got.MinValue) != 1 || len(got.MaxValue) != 1 {
					t.Errorf("%v has no bounds", column.MetaData.PathInSchema)
				}
				continue
			}
			unit := int64(1)
			if at < 2 {
				unit = 1e6
			}
			low, high, nulls := slices.Min(values)*unit, slices.Max(values)*unit, int64(rows.Len()-len(values))
			if !bytes.Equal(got.MinValue, bound(low)) || !bytes.Equal(got.MaxValue, bound(high)) || got.NullCount != nulls {
				t.Errorf("%v: %+v, want %d to %d and %d nulls", column.MetaData.PathInSchema, got, low, high, nulls)
			}
		}
	}
}

// fromParquet returns the rows of a file.
func fromParquet(t *testing.T, file *parquet.File, kinds []market.Kind, doubles bool) [][]any {
	rows := make([][]any, file.NumRows())
	for at, kind := range kinds {
		for row, v := range parquetColumn(t, file, at) {
			var got any
			switch {
			case v.IsNull():
			case kind == market.KindInstant:
				got = instant(v.Int64() / 1000)
			case kind == market.KindBoolean:
				got = v.Boolean()
			case kind == market.KindString:
				got = string(v.ByteArray())
			case kind == market.KindNumber && doubles:
				got = rational(strconv.FormatFloat(v.Double(), 'g', -1, 64))
			case kind == market.KindNumber:
				got = rational(fmt.Sprint(v.Int64(), "/1000000"))
			default:
				got = rational(fmt.Sprint(v.Int64()))
			}
			rows[row] = append(rows[row], got)
		}
	}
	return rows
}

func TestNumbersAreTheirShortestDecimalForm(t *testing.T) {
	head := format.Head{Dataset: "odd", Columns: []market.ServedColumn{{Name: "n", Kind: market.KindNumber}}}
	check := func(v float64) string {
		chunk := market.Chunk{Starts: []int64{0}, Ends: []int64{0}, Columns: []market.Vector{{
			Kind: market.KindNumber, Valid: []bool{true}, Numbers: []float64{v},
		}}}
		var out bytes.Buffer
		if err := write(&out, format.NDJSON, head, format.Options{}, format.Tail{}, chunk); err != nil {
			return err.Error()
		}
		_, n, _ := strings.Cut(strings.TrimSuffix(out.String(), "}\n"), `"n":`)
		return n
	}
	for v, want := range map[float64]string{
		0: "0", math.Copysign(0, -1): "0", -0.01: "-0.01", 128.48: "128.48", 0.30000000000000004: "0.30000000000000004", 1e-6: "0.000001",
		1e-7: "0.0000001", 1e9: "1000000000", 1e21: "1000000000000000000000", -99999.999999: "-99999.999999", 0.09211: "0.09211",
		1e15: "1000000000000000", 123456789.123456: "123456789.123456", 9999999999.999998: "9999999999.999998",
		5e-324: strconv.FormatFloat(5e-324, 'f', -1, 64),
	} {
		if got := check(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		micros := rapid.Map(rapid.Int64(), func(m int64) float64 { return float64(m) / 1e6 })
		v := rapid.OneOf(rapid.Float64Range(-1e12, 1e12), rapid.Float64(), micros).Draw(t, "v")
		if want := strconv.FormatFloat(v, 'f', -1, 64); check(v) != want && v != 0 {
			t.Fatalf("%s, want %s", check(v), want)
		}
	})
}
