package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"courant/server/config"
	"courant/store/storetest"
)

// speak sends bytes, as they are, to a service and reads all that it answers until it ends the connection.
func speak(t *testing.T, addr, text string) []*http.Response {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go io.WriteString(conn, text) // the service may have answered, and ended it, before it has taken all
	var answers []*http.Response
	for in := bufio.NewReader(conn); ; {
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			return answers // its end, or that of a connection that is cut with bytes of the request unread
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Errorf("%.60q: an answer breaks off: %v", text, err)
		}
		answer.Body.Close()
		answers = append(answers, answer)
	}
}

func TestWhatNoClientSendsIsRefusedAndNothingIsSmuggledPastIt(t *testing.T) {
	cfg := config.Default()
	cfg.Server.Addr, cfg.Database.Path, cfg.Ingest.Enabled = "127.0.0.1:0", filepath.Join(storetest.Folder(t), "courant.db"), false
	s := serve(t, cfg, t.Output())
	const (
		host = "Host: courant.example.org\r\n"
		next = "GET /healthz HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n" // comes after each text
		form = "Content-Type: application/x-www-form-urlencoded\r\n"
	)
	get := func(target string) string { return "GET " + target + " HTTP/1.1\r\n" + host + "\r\n" }
	post := func(headers, body string) string {
		return "POST /login HTTP/1.1\r\n" + host + form + headers + "\r\n" + body
	}
	for _, test := range []struct {
		name, text string
		statuses   []int
	}{
		{"two requests", get("/healthz"), []int{200, 200}},

		// Two lengths of one request: what follows must not be taken for another one.
		{"a length and chunks", post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), []int{401}},
		{"chunks and a length", post("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", "0\r\n\r\n"), []int{401}},
		{"chunks alone", post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), []int{401}},
		{"an unknown coding", post("Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n", "0\r\n\r\n"), []int{501}},
		{"two codings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"), []int{501}},
		{"codings in a list", post("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n"), []int{501}},
		{"a vertical tab before the coding", post("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"), []int{400}},
		{"a blank before the colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), []int{400}},
		{"a header that begins with a blank", "GET /healthz HTTP/1.1\r\n Transfer-Encoding: chunked\r\n" + host + "\r\n", []int{400}},
		{"two lengths", post("Content-Length: 0\r\nContent-Length: 6\r\n", ""), []int{400}},
		{"lengths in a list", post("Content-Length: 0, 6\r\n", ""), []int{400}},
		{"a length with a sign", post("Content-Length: +0\r\n", ""), []int{400}},
		{"a length below zero", post("Content-Length: -1\r\n", ""), []int{400}},
		{"a length beyond numbers", post("Content-Length: 99999999999999999999\r\n", ""), []int{400}},
		{"a chunk that ends in a bare line feed", post("Transfer-Encoding: chunked\r\n", "1\na\r\n0\r\n\r\n"), []int{400}},
		{"a chunk of no number", post("Transfer-Encoding: chunked\r\n", "0x1\r\na\r\n0\r\n\r\n"), []int{400}},
		{"a line feed alone ends a line", "GET /healthz HTTP/1.1\nHost: courant.example.org\n\n", []int{200, 200}},
		{"a carriage return alone does not", "GET /healthz HTTP/1.1\r\n" + host + "X: a\rTransfer-Encoding: chunked\r\n\r\n", []int{400}},
		{"an end of text in a header", "GET /healthz HTTP/1.1\r\n" + host + "X: a\x00b\r\n\r\n", []int{400}},

		// Large ones.
		{"a body of 100 MB", post("Content-Length: 104857600\r\n", strings.Repeat("a", 1<<20)), []int{413}},
		{"chunks of 100 MB", post("Transfer-Encoding: chunked\r\n", strings.Repeat("100000\r\n"+strings.Repeat("a", 1<<20)+"\r\n", 100)), []int{413}},
		{"100 MB that are asked about first", post("Expect: 100-continue\r\nContent-Length: 104857600\r\n", ""), []int{413}},
		{"a body of a request that has none", "GET /healthz HTTP/1.1\r\n" + host + "Content-Length: 104857600\r\n\r\n", []int{413}},
		{"many headers", "GET /healthz HTTP/1.1\r\n" + host + strings.Repeat("X: a\r\n", 20_000) + "\r\n", []int{431}},
		{"a long header", "GET /healthz HTTP/1.1\r\n" + host + "X: " + strings.Repeat("a", 100_000) + "\r\n\r\n", []int{431}},
		{"a long path", get("/" + strings.Repeat("a", 100_000)), []int{431}},
		{"a path that is not that long", get("/" + strings.Repeat("a", 30_000)), []int{404, 200}},
		{"another expectation", "GET /healthz HTTP/1.1\r\n" + host + "Expect: the moon\r\n\r\n", []int{417}},

		// Paths.
		{"up", get("/../../etc/passwd"), []int{404, 200}},
		{"up, encoded", get("/static/%2e%2e/%2e%2e/etc/passwd"), []int{404, 200}},
		{"up, with encoded slashes", get("/static/..%2f..%2fetc%2fpasswd"), []int{404, 200}},
		{"up, with backslashes", get(`/static/..\..\config.yaml`), []int{404, 200}},
		{"up, overlong", get("/static/%c0%ae%c0%ae/config.yaml"), []int{404, 200}},
		{"two slashes", get("//healthz"), []int{404, 200}},
		{"two slashes and a host", get("//other.example.org/%2f.."), []int{404, 200}},
		{"an end of text", get("/healthz%00"), []int{404, 200}},
		{"a parameter", get("/healthz;a=b"), []int{404, 200}},
		{"a semicolon in a query", get("/healthz?a=b;c"), []int{200, 200}},
		{"a half of an encoding", get("/%zz"), []int{400}},
		{"a letter encoded", get("/%68ealthz"), []int{404, 200}},
		{"in capitals", get("/HEALTHZ"), []int{404, 200}},

		// Hosts and targets.
		{"no host", "GET /healthz HTTP/1.1\r\n\r\n", []int{400}},
		{"two hosts", "GET /healthz HTTP/1.1\r\n" + host + host + "\r\n", []int{400}},
		{"a host with a blank", "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n", []int{400}},
		{"an empty host", "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", []int{200, 200}},
		{"metrics of another host", get("/metrics"), []int{401, 200}},
		{"metrics of another host, absolute", "GET http://other.example.org/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", []int{401, 200}},
		{"metrics through a proxy", "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n", []int{401, 200}},
		{"a target without a slash", get("healthz"), []int{400}},
		{"a target that is a host", "CONNECT other.example.org:443 HTTP/1.1\r\n" + host + "\r\n", []int{404, 200}},
		{"a target that is all", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", []int{404, 200}},

		// Methods and versions.
		{"a method of no letters", "G(T /healthz HTTP/1.1\r\n" + host + "\r\n", []int{400}},
		{"a method that is not known", "BREW /healthz HTTP/1.1\r\n" + host + "\r\n", []int{405, 200}},
		{"a trace", "TRACE /healthz HTTP/1.1\r\n" + host + "Cookie: a=b\r\n\r\n", []int{405, 200}},
		{"another method in a header", "GET /language HTTP/1.1\r\n" + host + "X-HTTP-Method-Override: POST\r\n\r\n", []int{405, 200}},
		{"HTTP/0.9", "GET /healthz\r\n\r\n", []int{400}},
		{"HTTP/3.0", "GET /healthz HTTP/3.0\r\n" + host + "\r\n", []int{505}},
		{"HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{404}},
		{"an upgrade to it", "GET /healthz HTTP/1.1\r\n" + host + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", []int{200, 200}},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", []int{400}},
		{"nothing", "", []int{200}},
		{"lines", strings.Repeat("\r\n", 100), []int{400}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var statuses []int
			for _, answer := range speak(t, s.Addr(), test.text+next) {
				statuses = append(statuses, answer.StatusCode)
				if answer.Header.Get("X-Request-Id") == "" { // net/http's own, to what is no request
					if answer.StatusCode == http.StatusOK || !answer.Close {
						t.Errorf("%d of nobody, with headers %v", answer.StatusCode, answer.Header)
					}
					continue
				}
				for name, value := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Location": "", "Set-Cookie": ""} {
					if got := answer.Header.Get(name); got != value {
						t.Errorf("%d with %s %q, want %q", answer.StatusCode, name, got, value)
					}
				}
				if !strings.HasPrefix(answer.Header.Get("Content-Security-Policy"), "default-src 'none'") {
					t.Errorf("%d with the policy %q", answer.StatusCode, answer.Header.Get("Content-Security-Policy"))
				}
			}
			if !slices.Equal(statuses, test.statuses) {
				t.Errorf("answers %d, want %d", statuses, test.statuses)
			}
		})
	}
}
