package simulator

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestServersAnswerUntilTheyAreClosed(t *testing.T) {
	t.Parallel()
	s, err := Start(Options{Now: func() time.Time { return longAfter }})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: new(http.Transport)}
	get := func(url string) (int, string) {
		t.Helper()
		r, err := client.Get(url)
		return textOf(t, r, err)
	}
	if status, body := get(s.RTEURL + afrrPath); status != 401 || !strings.Contains(body, "invalid_token") {
		t.Errorf("RTE: %d %s", status, body)
	}
	if status, body := get(s.ENTSOEURL + "?" + askPrices(whole(ordinaryDay)).Encode()); status != 200 || !strings.Contains(body, "Publication_MarketDocument") {
		t.Errorf("ENTSO-E: %d %s", status, body)
	}
	// The client still holds its idle connections.
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	for _, url := range []string{s.RTEURL, s.ENTSOEURL} {
		if r, err := client.Get(url); err == nil {
			r.Body.Close()
			t.Errorf("%s answers after Close", url)
		}
	}
}
