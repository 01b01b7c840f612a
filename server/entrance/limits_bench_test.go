package entrance

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// BenchmarkEntrance compares answers of a server that lets slow clients go with those of one that does not, at 32 kept
// connections. An operation is a round of both; -benchtime 7x makes seven.
func BenchmarkEntrance(b *testing.B) {
	const clientsAtOnce, roundBytes = 32, 512 << 20
	for _, size := range []int{24_000, 310_000, 1_136_000} {
		b.Run(fmt.Sprintf("%d-bytes", size), func(b *testing.B) {
			body := bytes.Repeat([]byte("x"), size)
			handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", strconv.Itoa(size))
				_, _ = w.Write(body)
			})
			free := httptest.NewServer(handler)
			defer free.Close()
			paced := httptest.NewUnstartedServer(nil)
			paced.Config = httpLimits.Server(handler, slog.New(slog.DiscardHandler))
			paced.Start()
			defer paced.Close()
			requests := roundBytes / clientsAtOnce / (size + 16<<10)
			var ratios []float64
			for b.Loop() {
				without := answersASecond(b, free.Listener.Addr().String(), clientsAtOnce, requests, size)
				ratios = append(ratios, answersASecond(b, paced.Listener.Addr().String(), clientsAtOnce, requests, size)/without)
			}
			slices.Sort(ratios)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
			b.ReportMetric(ratios[0], "ratio-min")
			b.ReportMetric(ratios[len(ratios)-1], "ratio-max")
		})
	}
}

// answersASecond has each of some clients ask so often on one connection.
func answersASecond(b *testing.B, addr string, clientsAtOnce, requests, size int) float64 {
	b.Helper()
	ask := func() error {
		conn, err := new(net.Dialer).DialContext(b.Context(), "tcp", addr)
		if err != nil {
			return err
		}
		defer conn.Close()
		answers := bufio.NewReader(conn)
		for range requests {
			if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: courant\r\n\r\n")); err != nil {
				return err
			}
			for {
				line, err := answers.ReadSlice('\n')
				if err != nil {
					return err
				}
				if len(line) == len("\r\n") {
					break
				}
			}
			if _, err := answers.Discard(size); err != nil {
				return err
			}
		}
		return nil
	}
	var asking sync.WaitGroup
	begun := time.Now()
	for range clientsAtOnce {
		asking.Go(func() {
			if err := ask(); err != nil {
				b.Error(err)
			}
		})
	}
	asking.Wait()
	return float64(clientsAtOnce*requests) / time.Since(begun).Seconds()
}
