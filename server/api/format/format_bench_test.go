package format_test

import (
	"flag"
	"fmt"
	"io"
	"math"
	"runtime"
	"testing"

	"courant/server/api/format"
	"courant/store/market"
)

// afrr returns the head and the chunks, of an hour each, of synthetic days of 4 s steps.
func afrr(first market.DeliveryDate, days int) (format.Head, []market.Chunk) {
	head := headOf(market.AFRREnergy)
	head.Period = market.NewPeriod(first.Start(), first.Add(days).Start())
	var chunks []market.Chunk
	price := 90.0
	for hour := head.Period.Start; hour < head.Period.End; hour += market.HourSeconds {
		const steps = market.HourSeconds / market.AFRRSeconds
		chunk := market.Chunk{Columns: make([]market.Vector, len(head.Columns))}
		for i, column := range head.Columns {
			chunk.Columns[i].Kind = column.Kind
		}
		for step := range int64(steps) {
			second := hour + step*market.AFRRSeconds
			chunk.Starts, chunk.Ends = append(chunk.Starts, second), append(chunk.Ends, second+market.AFRRSeconds)
			if step%5 == 0 {
				price = math.Round((price+math.Sin(float64(second))*3)*100) / 100
			}
			for i := range chunk.Columns {
				v := &chunk.Columns[i]
				v.Valid = append(v.Valid, i == 0 || second%97 != 0)
				if v.Kind == market.KindBoolean {
					v.Flags = append(v.Flags, i%2 == 0)
					continue
				}
				n := price
				if i >= 2 {
					n = math.Round(math.Sin(float64(second)/300+float64(i))*5000) / 10
				}
				v.Numbers = append(v.Numbers, n)
			}
		}
		chunks = append(chunks, chunk)
	}
	return head, chunks
}

var year = flag.Bool("year", false, "write a year of 4 s steps, and not a few days")

func TestMemoryDoesNotGrowWithTheRows(t *testing.T) {
	days := 6
	if *year {
		days = 365
	}
	head, chunks := afrr(market.NewDeliveryDate(2026, 1, 12), 1)
	for _, form := range format.All() {
		runtime.GC()
		var before, now runtime.MemStats
		runtime.ReadMemStats(&before)
		w, most := format.New(form, io.Discard, head, format.Options{}), uint64(0)
		rows := 0
		for day := range days {
			for _, chunk := range chunks {
				if limit := form.MostRows(); limit > 0 && rows+chunk.Len() > limit {
					break
				}
				if err := w.Write(chunk); err != nil {
					t.Fatal(err)
				}
				rows += chunk.Len()
				for i := range chunk.Starts {
					chunk.Starts[i], chunk.Ends[i] = chunk.Starts[i]+86400, chunk.Ends[i]+86400
				}
			}
			if day%8 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc-min(before.HeapAlloc, now.HeapAlloc))
			}
		}
		if err := w.Close(format.Tail{}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&now)
		t.Logf("%s: %d rows, %d KiB live at most, %d KiB more from the system", form, rows, most>>10, (now.Sys-before.Sys)>>10)
		if limit := uint64(64 << 20); most > limit || now.Sys-before.Sys > limit {
			t.Errorf("%s: more than %d MiB", form, limit>>20)
		}
	}
}

type counter struct{ bytes int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.bytes += int64(len(b))
	return len(b), nil
}

func BenchmarkWriters(b *testing.B) {
	head, chunks := afrr(market.NewDeliveryDate(2026, 10, 12), 30)
	rows := 0
	for _, chunk := range chunks {
		rows += chunk.Len()
	}
	for _, form := range format.All() {
		b.Run(string(form), func(b *testing.B) {
			b.ReportAllocs()
			var written counter
			for b.Loop() {
				written = counter{}
				if err := write(&written, form, head, format.Options{}, format.Tail{}, chunks...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(written.bytes)/float64(rows), "B/row")
		})
	}
}

func write(w io.Writer, form format.Form, head format.Head, o format.Options, tail format.Tail, chunks ...market.Chunk) error {
	writer := format.New(form, w, head, o)
	for i, chunk := range chunks {
		if err := writer.Write(chunk); err != nil {
			return fmt.Errorf("chunk %d: %w", i, err)
		}
	}
	return writer.Close(tail)
}

func headOf(dataset market.Dataset) format.Head {
	about, series := dataset.About(), dataset.Series()
	return format.Head{
		Dataset: dataset, Title: about.Title, Source: about.Source, Attribution: "Source: " + about.Source,
		Resolution: "native", Keys: series.ServedKeys(), Columns: series.ServedColumns(),
	}
}
