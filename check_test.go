package main

import (
	"errors"
	"testing"

	"courant/ingest/source"
)

func TestAnApplicationWithoutTheExchangesIsWarnedOf(t *testing.T) {
	for _, row := range []struct {
		name  string
		err   error
		warns bool
		says  string
	}{
		{"they answer", nil, false, "ok the credentials are good, Wholesale Market answers"},
		{"there is no subscription", &source.Fault{Source: "RTE", Call: "france_power_exchanges", Status: 403, Message: "subscribe it on RTE's data portal"}, true,
			"ok RTE: france_power_exchanges: status 403: subscribe it on RTE's data portal, or nothing stands in for ENTSO-E's prices"},
		{"the credentials are refused", &source.Fault{Source: "RTE", Call: "token", Status: 401, Message: "check rte.client_id"}, false, "FAIL RTE: token: status 401: check rte.client_id"},
		{"nobody answers", errors.New("no answer in time"), false, "FAIL no answer in time"},
	} {
		if v := checkExchange(row.err); v.warns != row.warns || sayOf(v) != row.says {
			t.Errorf("%s: %q, warns %t", row.name, sayOf(v), v.warns)
		}
	}
}
