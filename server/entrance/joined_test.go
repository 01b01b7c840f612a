package entrance

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

func TestAnswersOverAJoinedConnectionArriveByteForByte(t *testing.T) {
	t.Parallel()
	body := make([]byte, 3*writeBytes)
	for i := range body {
		body[i] = byte(i * 7)
	}
	var heldAfterwards atomic.Bool
	server := httpLimits.Server(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form := r.URL.Query()
		size, err := strconv.Atoi(form.Get("size"))
		if err != nil {
			t.Error(err)
		}
		piece, err := strconv.Atoi(form.Get("piece"))
		if err != nil {
			t.Error(err)
		}
		if form.Has("length") {
			w.Header().Set("Content-Length", strconv.Itoa(size))
		}
		for rest := body[:size]; len(rest) > 0; {
			n := min(piece, len(rest))
			if _, err := w.Write(rest[:n]); err != nil {
				t.Error(err)
			}
			if clientOf(r).joined.held != nil {
				heldAfterwards.Store(true)
			}
			rest = rest[n:]
		}
	}), slog.New(slog.DiscardHandler))
	listener, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	defer server.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	sizes := []int{0, 1, 2047, 2048, 3900, 4000, 4095, 4096, 4097, 5000, 8192, 100_000, writeBytes, writeBytes + 1, len(body)}
	pieces := []int{1000, 2048, 4096, 5000, 70_000, len(body)}
	for _, length := range []string{"", "&length"} {
		for _, size := range sizes {
			for _, piece := range pieces {
				path := "/?size=" + strconv.Itoa(size) + "&piece=" + strconv.Itoa(piece) + length
				// Two requests at once: the answers follow one another on the connection.
				if _, err := io.WriteString(conn, strings.Repeat("GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n", 2)); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					response, err := http.ReadResponse(answers, nil)
					if err != nil {
						t.Fatalf("%s: %v", path, err)
					}
					got, err := io.ReadAll(response.Body)
					if err != nil || !bytes.Equal(got, body[:size]) {
						t.Fatalf("%s: %d bytes, %v", path, len(got), err)
					}
				}
			}
		}
	}
	if heldAfterwards.Load() {
		t.Error("a part of an answer was held back after its write")
	}
}
