package api_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"courant/server/api"
	"courant/store"
)

func TestWhoReadsTheMetrics(t *testing.T) {
	t.Parallel()
	for _, opened := range []bool{false, true} {
		t.Run(fmt.Sprintf("opened to this machine: %t", opened), func(t *testing.T) { readMetrics(t, opened) })
	}
}

func readMetrics(t *testing.T, opened bool) {
	f := open(t, func(o *api.Options) {
		o.OpenMetrics = opened
		o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "figures\n") })
	})
	from := func(peer, host string) func(*http.Request) {
		return func(r *http.Request) { r.RemoteAddr, r.Host = peer, host }
	}
	far := from("192.0.2.7:4711", "courant.example.org")
	admin := f.account(t, "boris@example.org", store.Administrator)
	token := bearer(f.token(t, admin, nil))
	member := bearer(f.token(t, f.account(t, "anne@example.org", store.Member), nil))
	local := map[bool]int{true: 200, false: 401}[opened]
	for name, row := range map[string]struct {
		dress  []func(*http.Request)
		status int
	}{
		"an administrator's token":                         {[]func(*http.Request){far, token}, 200},
		"an administrator's token that is limited to data": {[]func(*http.Request){far, bearer(f.token(t, admin, func(token *store.Token) { token.Datasets = "day-ahead-prices" }))}, 403},
		"an administrator's session":                       {[]func(*http.Request){far, carrying(f.session(t, admin))}, 200},
		"a member's token":                                 {[]func(*http.Request){far, member}, 403},
		"a guest":                                          {[]func(*http.Request){far}, 401},
		"a scraper on this machine":                        {[]func(*http.Request){from("127.0.0.1:4711", "127.0.0.1:8080")}, local},
		"a scraper on this machine, by name":               {[]func(*http.Request){from("127.0.0.1:4711", "localhost")}, local},
		"a scraper on this machine, by IPv6":               {[]func(*http.Request){from("[::1]:4711", "[::1]:8080")}, local},
		"a proxy on this machine":                          {[]func(*http.Request){from("127.0.0.1:4711", "courant.example.org")}, 401},
		"a proxy that rewrites Host":                       {[]func(*http.Request){from("127.0.0.1:4711", "127.0.0.1:8080"), header("X-Forwarded-For", "192.0.2.7")}, 401},
		"a proxy that speaks RFC 7239":                     {[]func(*http.Request){from("127.0.0.1:4711", "127.0.0.1:8080"), header("Forwarded", "for=192.0.2.7")}, 401},
		"a proxy that names the client":                    {[]func(*http.Request){from("127.0.0.1:4711", "127.0.0.1:8080"), header("X-Real-Ip", "192.0.2.7")}, 401},
		"a proxy that names itself":                        {[]func(*http.Request){from("127.0.0.1:4711", "127.0.0.1:8080"), header("Via", "1.1 proxy")}, 401},
		"an administrator through a proxy":                 {[]func(*http.Request){from("127.0.0.1:4711", "127.0.0.1:8080"), header("Via", "1.1 proxy"), token}, 200},
		"a peer that lies of Host":                         {[]func(*http.Request){from("192.0.2.7:4711", "localhost")}, 401},
		"a name that only begins as this machine":          {[]func(*http.Request){from("127.0.0.1:4711", "localhost.example.org")}, 401},
	} {
		w := f.ask(t, "GET", "/metrics", row.dress...)
		if w.Code != row.status || (w.Body.String() == "figures\n") != (row.status == 200) {
			t.Errorf("%s: %d %s, want %d", name, w.Code, w.Body, row.status)
		}
	}
}
