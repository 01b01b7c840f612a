package format_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"courant/server/api/format"
	"courant/store/market"
)

var files = flag.String("files", "", "a folder in which docs/readback finds files to read")

// TestFilesForOtherPrograms writes the days of both clock changes of each dataset in each form, and expected.json with what is
// in them.
func TestFilesForOtherPrograms(t *testing.T) {
	if *files == "" {
		t.Skip("-files names no folder")
	}
	type column struct{ Name, Kind string }
	type day struct {
		Name    string
		Columns []column
		Rows    [][]any
	}
	var expected []day
	variants := []struct {
		name    string
		form    format.Form
		options format.Options
	}{
		{"utc.json", format.JSON, format.Options{}},
		{"paris.json", format.JSON, format.Options{Zone: format.Paris}},
		{"columns.json", format.Columns, format.Options{}},
		{"ndjson", format.NDJSON, format.Options{}},
		{"utc.csv", format.CSV, format.Options{}},
		{"paris.csv", format.CSV, format.Options{Zone: format.Paris}},
		{"nulls.csv", format.CSV, format.Options{Null: `\N`}},
		{"fr.csv", format.FrenchCSV, format.Options{}},
		{"xlsx", format.XLSX, format.Options{}},
		{"parquet", format.Parquet, format.Options{}},
		{"double.parquet", format.Parquet, format.Options{Doubles: true}},
	}
	for _, head := range heads() {
		for _, date := range []market.DeliveryDate{spring, autumn} {
			head.Period = date.Period()
			chunk := wholeDate(head, date)
			name := fmt.Sprintf("%s-%s", head.Dataset, date)
			if head.Position != 0 {
				name = fmt.Sprintf("all-kinds-%s", date)
			}
			for _, v := range variants {
				file := writeTo(t, v.form, head, v.options, chunk)
				if err := os.WriteFile(filepath.Join(*files, name+"."+v.name), file, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			d := day{Name: name}
			for i, kind := range kindsOf(head)[2:] {
				column := column{Kind: string(kind)}
				if i < len(head.Keys) {
					column.Name = head.Keys[i].Name
				} else {
					column.Name = head.Columns[i-len(head.Keys)].Name
				}
				d.Columns = append(d.Columns, column)
			}
			for row := range chunk.Len() {
				values := []any{chunk.Starts[row], chunk.Ends[row]}
				for _, key := range chunk.Keys {
					values = append(values, key[row])
				}
				for _, v := range chunk.Columns {
					switch {
					case !v.Valid[row]:
						values = append(values, nil)
					case v.Kind == market.KindNumber:
						values = append(values, v.Numbers[row])
					case v.Kind == market.KindInteger:
						values = append(values, v.Integers[row])
					case v.Kind == market.KindBoolean:
						values = append(values, v.Flags[row])
					case v.Kind == market.KindString:
						values = append(values, v.Texts[row])
					case v.Kind == market.KindInstant:
						values = append(values, v.Instants[row])
					}
				}
				d.Rows = append(d.Rows, values)
			}
			expected = append(expected, d)
		}
	}
	text, err := json.Marshal(expected)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*files, "expected.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// wholeDate returns the rows of a delivery date: decimals, zeros, negative and whole numbers, and nulls.
func wholeDate(head format.Head, date market.DeliveryDate) market.Chunk {
	var chunk market.Chunk
	series := head.Dataset.Series()
	chunk.Keys, chunk.Columns = make([][]string, len(head.Keys)), make([]market.Vector, len(head.Columns))
	numbers := []float64{128.48, 0, -0.01, 12, 0.09211, -500, 4000, 21.64, 0.1, 1234.567891}
	texts := []string{"validated", "données partielles ; \"x\", y", "=1+1", "-", "provisional"}
	for second, row := date.Start().Unix(), 0; second < date.End().Unix(); second, row = second+series.StepSeconds(), row+1 {
		chunk.Starts, chunk.Ends = append(chunk.Starts, second), append(chunk.Ends, second+series.StepSeconds())
		for i, key := range head.Keys {
			value := "STD"
			if len(key.Values) > 0 {
				value = key.Values[row%len(key.Values)]
			}
			chunk.Keys[i] = append(chunk.Keys[i], value)
		}
		for i, column := range head.Columns {
			v := &chunk.Columns[i]
			v.Kind = column.Kind
			v.Valid = append(v.Valid, (row+i)%7 != 3)
			switch at := row + i; column.Kind {
			case market.KindNumber:
				n := numbers[at%len(numbers)]
				if at%3 == 0 {
					n = math.Round(math.Sin(float64(at))*1e6) / 100
				}
				v.Numbers = append(v.Numbers, n)
			case market.KindInteger:
				v.Integers = append(v.Integers, int64(at))
			case market.KindBoolean:
				v.Flags = append(v.Flags, at%3 == 0)
			case market.KindString:
				v.Texts = append(v.Texts, texts[at%len(texts)])
			case market.KindInstant:
				v.Instants = append(v.Instants, second*1000+int64(at%1000))
			}
		}
	}
	return chunk
}
