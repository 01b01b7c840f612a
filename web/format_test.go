package web_test

import (
	"testing"
	"time"

	"courant/store/market"
	"courant/web"
)

func TestNumbersAreWrittenInFullAsTheLanguageDoes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		n               market.Number
		decimals        int
		french, english string
	}{
		{market.Number{}, 2, "–", "–"},
		{market.Num(0), 2, "0,00", "0.00"},
		{market.Num(-0.004), 2, "−0,004", "−0.004"},
		{market.Num(12.5), 2, "12,50", "12.50"},
		{market.Num(1.399168), 2, "1,399168", "1.399168"},
		{market.Num(999), 0, "999", "999"},
		{market.Num(-1000), 0, "−1\u202f000", "−1,000"},
		{market.Num(1234567.8), 2, "1\u202f234\u202f567,80", "1,234,567.80"},
	} {
		if got := web.FormatNumber(web.French, test.n, test.decimals); got != test.french {
			t.Errorf("%v is %q in French, want %q", test.n, got, test.french)
		}
		if got := web.FormatNumber(web.English, test.n, test.decimals); got != test.english {
			t.Errorf("%v is %q in English, want %q", test.n, got, test.english)
		}
	}
}

func TestDatesAreNamedAsTheLanguageDoes(t *testing.T) {
	t.Parallel()
	first := market.NewDeliveryDate(2026, 10, 1)
	for _, test := range []struct {
		last            market.DeliveryDate
		french, english string
	}{
		{first, "Jeudi 1er\u00a0octobre\u00a02026", "Thursday 1\u00a0October\u00a02026"},
		{first.Add(24), "Du 1er au 25\u00a0octobre\u00a02026", "From 1 to 25\u00a0October\u00a02026"},
		{first.Add(31), "Du 1er\u00a0octobre au 1er\u00a0novembre\u00a02026", "From 1\u00a0October to 1\u00a0November\u00a02026"},
		{first.Add(100), "Du 1er\u00a0octobre\u00a02026 au 9\u00a0janvier\u00a02027", "From 1\u00a0October\u00a02026 to 9\u00a0January\u00a02027"},
	} {
		if got := web.FormatDates(web.French, first, test.last); got != test.french {
			t.Errorf("%q, want %q", got, test.french)
		}
		if got := web.FormatDates(web.English, first, test.last); got != test.english {
			t.Errorf("%q, want %q", got, test.english)
		}
	}
}

func TestMomentsAreThoseOfParis(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC)
	for language, want := range map[web.Language]string{web.French: "25\u00a0octobre\u00a02026 à 02B:30", web.English: "25\u00a0October\u00a02026 at 02B:30"} {
		if got := web.FormatMoment(language, at); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestFrenchPunctuationDoesNotBegin(t *testing.T) {
	t.Parallel()
	text := web.Text{FR: "Est-ce « tout » : oui ; non ? Si ! 5 €", EN: "Is “that” all: yes; no? Yes! €5"}
	if got, want := web.Typeset(web.French, text), "Est-ce «\u00a0tout\u00a0»\u00a0: oui\u202f; non\u202f? Si\u202f! 5\u00a0€"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := web.Typeset(web.English, text); got != text.EN {
		t.Errorf("English becomes %q", got)
	}
}

func TestASparkIsStepsWithGaps(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		numbers []market.Number
		want    string
	}{
		"nothing":        {nil, ""},
		"nulls":          {make([]market.Number, 3), ""},
		"steps":          {[]market.Number{market.Num(0), market.Num(2)}, "M0.0 23.0H50.0V1.0H100.0"},
		"a gap":          {[]market.Number{market.Num(2), {}, market.Num(1), market.Num(2)}, "M0.0 1.0H25.0M50.0 12.0H75.0V1.0H100.0"},
		"below zero":     {[]market.Number{market.Num(-1), market.Num(1)}, "M0.0 23.0H50.0V1.0H100.0"},
		"zero all along": {[]market.Number{market.Num(0)}, "M0.0 23.0H100.0"},
	} {
		if got := web.Spark(test.numbers); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
