package source_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"courant/ingest/source"
	"courant/store/market"
)

func TestAnInstantIsReadInEachWayItIsWritten(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.July, 15, 10, 0, 0, 0, time.UTC)
	for _, written := range []string{
		"2026-07-15T10:00:00Z", "2026-07-15T10:00Z", "2026-07-15T10:00:00.000Z", "2026-07-15T10:00:00,0Z", "2026-07-15t10:00:00z",
		"2026-07-15T12:00:00+02:00", "2026-07-15T12:00+0200", "2026-07-15T12:00+02", "2026-07-15 12:00:00+02:00", "2026-07-15 10:00Z",
		"2026-07-15T04:30:00-05:30", " 2026-07-15T10:00:00Z\n", "2026-07-15T10:00:00.00000000000Z", "2026-07-16T01:00:00+15:00",
	} {
		if got := source.ReadStamp([]byte(written)); !got.Good || got.At != at.Unix() || got.Fault != "" {
			t.Errorf("%q is %+v", written, got)
		}
	}
	for _, written := range []string{
		"2026-07-15T10:00:00", "2026-07-15T10:00", "2026-07-15", "2026-07-15T10Z", "2026-07-15T10:00:00.5Z", "2026-07-15T10:00:00.0000000001Z",
		"2026-07-15T10:00:00.Z", "2026-07-15T10:00:0Z", "2026-07-15T24:00:00Z", "2026-07-15T10:60Z", "2026-07-15T10:00:60Z", "2026-07-15T10:00+2",
		"2026-07-15T10:00+02:0", "2026-07-15T10:00+02:60", "2026-07-15T10:00+24", "2026-07-15T10:00 02:00", "2026-07-15  10:00Z", "2026-07-15T10:00 Z",
		"2026-07-15T10:00ZZ", "2026-02-30T10:00Z", "2026-13-01T10:00Z", "2026-00-01T10:00Z", "20260715T100000Z", "1784109600", "noon", "T10:00Z", "+",
		"２026-07-15T10:00Z",
	} {
		if got := source.ReadStamp([]byte(written)); got.Good || got.Fault == "" {
			t.Errorf("%q is %+v", written, got)
		}
	}
	for _, missing := range []string{"", "  "} {
		if got := source.ReadStamp([]byte(missing)); got != (source.Stamp{}) || got.OrMissing() != "it is missing" {
			t.Errorf("%q is %+v", missing, got)
		}
	}
}

func TestAnInstantKeepsItsFraction(t *testing.T) {
	t.Parallel()
	got, ok := source.ParseInstant([]byte("2026-07-14T07:08:10.511Z"))
	if want := time.Date(2026, time.July, 14, 7, 8, 10, 511_000_000, time.UTC); !ok || !got.Equal(want) {
		t.Errorf("%s, %t", got, ok)
	}
}

func TestAnOddStampNamesADeliveryDate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ start, end, want string }{
		{"2026-07-15T25:00:00Z", "", "2026-07-15"},
		{"2026-07-15T12:00:00", "", "2026-07-15"},
		{"2026-07-15", "", "2026-07-15"},
		{"2026-07-14T22:75Z", "", "2026-07-15"},                  // of ten in the evening it is only the minute that is odd
		{"2026-07-14T22:00:00.5Z", "", "2026-07-15"},             // an instant, if no whole second
		{"2026-07-14T23:75+02:00", "", "2026-07-14"},             // in Paris
		{"", "2026-07-15T22:00Z", "2026-07-15"},                  // the end of a date
		{"", "2026-07-15T22:15Z", "2026-07-16"},                  // the end of its first quarter
		{"2026-07-14T2x:00Z", "2026-07-14T22:15Z", "2026-07-15"}, // the date before, in UTC
		{"2026-07-20T25:00Z", "2026-07-14T22:15Z", "2026-07-20"}, // the end is another row's
		{"never", "2026-07-15T25:00Z", "2026-07-15"},
		{"never", "soon", ""}, {"", "", ""}, {"2026-02-30T10:00Z", "", ""}, {"2026-07-151", "", ""}, {"12:00", "", ""},
	} {
		date, named := source.DateNamed(source.ReadStamp([]byte(tt.start)), source.ReadStamp([]byte(tt.end)))
		if named != (tt.want != "") || named && date.String() != tt.want {
			t.Errorf("%q to %q names %s (%t), want %q", tt.start, tt.end, date, named, tt.want)
		}
	}
}

func TestAStampIsReadAsTheStandardLibraryReadsIt(t *testing.T) {
	t.Parallel()
	for _, base := range []int64{0, 951_782_400, 1_792_890_000, 4_102_444_799} {
		for step := range int64(500) {
			want := time.Unix(base+step*100_003, 0).In(market.Paris)
			if got, ok := source.ParseInstant([]byte(want.Format(time.RFC3339))); !ok || !got.Equal(want) {
				t.Fatalf("%s is read as %s, %t", want, got, ok)
			}
		}
	}
}

func TestATextIsReadAsUTF8WithoutItsByteOrderMark(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, want string
		utf16      bool
	}{
		{"", "", false}, {"{", "{", false}, {"{}", "{}", false}, {"\ufeff{}", "{}", false}, {"\ufeff", "", false}, {"\ufeff\ufeffx", "\ufeffx", false},
		{"é", "é", false}, {"\xff\xfe{\x00", "", true}, {"\xfe\xff\x00{", "", true}, {"{\x00}\x00", "", true}, {"\x00{\x00}", "", true},
	} {
		got, err := source.UTF8([]byte(tt.text))
		if string(got) != tt.want || errors.Is(err, source.ErrUTF16) != tt.utf16 {
			t.Errorf("%q is %q, %v", tt.text, got, err)
		}
		reader, err := source.UTF8Reader(iotest.OneByteReader(strings.NewReader(tt.text)))
		if errors.Is(err, source.ErrUTF16) != tt.utf16 {
			t.Errorf("%q: %v", tt.text, err)
		}
		if err != nil {
			continue
		}
		if read, err := io.ReadAll(reader); string(read) != tt.want || err != nil {
			t.Errorf("%q is read as %q, %v", tt.text, read, err)
		}
	}
}

func TestAHundredthOfADateIsTooMuch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		date market.DeliveryDate
		most int // that may be left out
	}{
		{market.NewDeliveryDate(2026, time.July, 15), 215}, {market.NewDeliveryDate(2026, time.March, 29), 206}, {market.NewDeliveryDate(2026, time.October, 25), 224},
	} {
		if source.TooManyOddSteps(tt.most, tt.date) || !source.TooManyOddSteps(tt.most+1, tt.date) {
			t.Errorf("%s may not lack %d steps, or may lack one more", tt.date, tt.most)
		}
	}
}
