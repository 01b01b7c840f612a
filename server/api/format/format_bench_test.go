package format_test

import (
	"fmt"
	"io"
	"math"
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
