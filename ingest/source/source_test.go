package source_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/ingest/source"
	"courant/store/market"
)

func TestAnExcerptIsTheFirstWordsWithoutMarkup(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body, want string
	}{
		{"nothing", "", ""},
		{"words", "404 page not found\n", "404 page not found"},
		{"a page", "<html><head><title>Sorry</title></head><body><h1>Down</h1>for maintenance</body></html>", "Sorry Down for maintenance"},
		{"words of one element keep apart from those of the next", "<b>a</b><b>b</b>", "a b"},
		{"markup without an end", "before <a href='", "before"},
		{"lines and control characters", "a\r\n\tb\x00c\x1b[1md\u0085e", "a b c [1md e"},
		{"long text", strings.Repeat("é", 200), strings.Repeat("é", 160) + "…"},
		{"as long as may be", strings.Repeat("é", 160), strings.Repeat("é", 160)},
		{"only the beginning is read", strings.Repeat("<br>", 2000) + "late", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer := source.Answer{Body: strings.NewReader(tt.body)}
			if got := answer.Excerpt(); got != tt.want {
				t.Errorf("excerpt %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAFaultNamesTheSourceTheRequestAndTheReason(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fault source.Fault
		want  string
	}{
		{source.Fault{Source: "RTE", Call: "token", Message: "no answer in time"}, "RTE: token: no answer in time"},
		{source.Fault{Source: "ENTSO-E", Call: "A44", Status: 503, Message: "Service Unavailable"}, "ENTSO-E: A44: status 503: Service Unavailable"},
	} {
		if got := tt.fault.Error(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	if err := error(&source.Fault{Cause: fmt.Errorf("%w: 100 days", source.ErrTooWide)}); !errors.Is(err, source.ErrTooWide) {
		t.Error("the cause is not found")
	}
	if err := error(&source.Fault{}); errors.Is(err, io.EOF) {
		t.Error("a cause is found where there is none")
	}
}

func TestARemarkIsKeptOnce(t *testing.T) {
	t.Parallel()
	var reply source.Reply[market.Price]
	for range 3 {
		reply.Note("a series with %s was skipped", "A07")
		reply.UnknownKey("colour")
	}
	reply.Note("another")
	if diff := cmp.Diff([]string{"a series with A07 was skipped", "another"}, reply.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"colour"}, reply.UnknownKeys); diff != "" {
		t.Errorf("unknown keys (-want +got):\n%s", diff)
	}
}

func TestRemarksDoNotGrowWithoutEnd(t *testing.T) {
	t.Parallel()
	var reply source.Reply[market.Price]
	for i := range 1000 {
		reply.Note("note %d", i)
		reply.UnknownKey(fmt.Sprint(i))
	}
	if len(reply.Notes) != 100 || len(reply.UnknownKeys) != 100 || reply.Notes[0] != "note 0" {
		t.Errorf("%d notes from %q, %d unknown keys", len(reply.Notes), reply.Notes[0], len(reply.UnknownKeys))
	}
}

func TestTheFirstReasonOfARefusalIsReported(t *testing.T) {
	t.Parallel()
	first, second := market.NewDeliveryDate(2026, time.July, 15), market.NewDeliveryDate(2026, time.July, 16)
	var refusals source.Refusals
	refusals.Refuse(market.AFRREnergy, first, "bad %s", "price")
	refusals.Refuse(market.AFRREnergy, first, "later")
	refusals.Refuse(market.MFRREnergy, first, "other dataset")
	refusals.Refuse(market.AFRREnergy, second, "all")

	var more source.Refusals
	more.Refuse(market.AFRREnergy, second, "too late")
	more.Refuse(market.AFRREnergy, second.Add(1), "%s", "100 % of it")
	refusals.Add(more)

	want := []market.Refusal{
		{Dataset: market.AFRREnergy, Date: first, Reason: "bad price"},
		{Dataset: market.MFRREnergy, Date: first, Reason: "other dataset"},
		{Dataset: market.AFRREnergy, Date: second, Reason: "all"},
		{Dataset: market.AFRREnergy, Date: second.Add(1), Reason: "100 % of it"},
	}
	if diff := cmp.Diff(want, refusals.List(), cmp.Comparer(func(a, b market.DeliveryDate) bool { return a == b })); diff != "" {
		t.Errorf("refusals (-want +got):\n%s", diff)
	}
	refusals.RefuseFinally(market.AFRREnergy, first, "no structure")
	refusals.Refuse(market.AFRREnergy, first, "much later")
	want[0] = market.Refusal{Dataset: market.AFRREnergy, Date: first, Reason: "no structure", Final: true}
	if diff := cmp.Diff(want, refusals.List(), cmp.Comparer(func(a, b market.DeliveryDate) bool { return a == b })); diff != "" {
		t.Errorf("a final reason does not stand before one that is not (-want +got):\n%s", diff)
	}
	if !refusals.Has(market.MFRREnergy, first) || refusals.Has(market.MFRREnergy, second) {
		t.Error("Has does not tell datasets and dates apart")
	}
}
