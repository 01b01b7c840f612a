package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestStaticFilesAreServed(t *testing.T) {
	t.Parallel()
	f := open(t)
	for name, contentType := range map[string]string{"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"} {
		want, err := os.ReadFile("../../web/static/" + name)
		must(t, err)
		w := f.ask(t, "GET", "/static/"+name)
		if w.Code != 200 || w.Header().Get("Content-Type") != contentType || w.Body.String() != string(want) {
			t.Errorf("%s: %d %q, %d bytes of %d", name, w.Code, w.Header().Get("Content-Type"), w.Body.Len(), len(want))
		}
		if w.Header().Get("Cache-Control") != "public, max-age=3600" {
			t.Errorf("%s: Cache-Control %q", name, w.Header().Get("Cache-Control"))
		}
	}
}

// The paths go over the wire as they are: a client would tidy them.
func TestTricksWithPathsFindNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.refresh(t)
	live := httptest.NewServer(f)
	defer live.Close()
	for _, target := range []string{
		"/static", "/static/", "/static/.", "/static/./", "/static//", "/static/..", "/static/../", "/static/../web.go", "/static/../templates/login.html",
		"/static/%2e%2e/templates/login.html", "/static/..%2ftemplates%2flogin.html", "/static/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",
		"/static/..\\..\\web.go", "/static/..%5c..%5cweb.go", "/static/../../../../../../etc/passwd", "/static//etc/passwd", "/static/%2fetc/passwd",
		"/static/style.css/", "/static/style.css/..", "/static/style.css%00", "/static/style.css%00.svg", "/static/STYLE.CSS", "/static/./style.css",
		"/static/index.html", "/static/%", "//", "//static/style.css", "//evil.example/", "/%2e%2e/", "/../etc/passwd", "/./", "/api//day-ahead-prices",
		"/api/../healthz", "/templates/login.html", "/.git/config", "/login/", "/\xff\xfe",
	} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", live.Listener.Addr().String())
		must(t, err)
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: courant\r\nConnection: close\r\n\r\n", target)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		must(t, err)
		body, err := io.ReadAll(response.Body)
		must(t, err)
		conn.Close()
		if response.StatusCode != 404 && response.StatusCode != 400 {
			t.Errorf("GET %q answers %d %s: %.200s", target, response.StatusCode, response.Header.Get("Location"), body)
		}
		if response.StatusCode == 404 && response.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("GET %q is no problem but %s", target, body)
		}
		for _, leak := range []string{"root:", "{{", "package web", "style.css"} {
			if strings.Contains(string(body), leak) {
				t.Errorf("GET %q gives %.200s", target, body)
			}
		}
	}
}
