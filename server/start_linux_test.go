package server_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"courant/store/market"
)

var startDates = flag.Int("startdates", 365, "how many delivery dates BenchmarkStart has stored")

// BenchmarkStart starts the program as it is released, on a database of a year, and stops it. An operation is a start:
// -benchtime 9x makes nine. It reports how long it takes from the start of the process until each of the eight endpoints has
// answered what it answered at the first start, how much memory the process holds then, and the most that it holds while
// 32 clients ask for all of them in each coding. The sources do not answer.
func BenchmarkStart(b *testing.B) {
	program := buildProgram(b)
	moveIn(b, time.Now)
	today := market.DeliveryDateOf(time.Now())
	runProgram(b, program, "a phrase of four words", "user", "add", "anne@example.org", "--admin", "--password-stdin")
	token := strings.TrimSpace(runProgram(b, program, "", "token", "create", "anne@example.org", "--name", "bench"))
	b.Setenv("COURANT_API_RATE_LIMIT_PER_MINUTE", "1000000")
	hastily := exec.CommandContext(b.Context(), "courant-hasty", "fetch", "all", "--from", today.Add(-*startDates).String(), "--to", today.Add(-1).String())
	if out, err := hastily.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	b.Setenv("COURANT_RTE_BASE_URL", "http://127.0.0.1:1")
	b.Setenv("COURANT_ENTSOE_BASE_URL", "http://127.0.0.1:1")

	var reference map[string][]byte
	var took []time.Duration
	var after, most []int
	for b.Loop() {
		addr := fmt.Sprintf("127.0.0.1:%d", portThatIsFree(b))
		service := exec.CommandContext(b.Context(), program, "serve")
		service.Env = append(os.Environ(), "COURANT_SERVER_ADDR="+addr)
		begun := time.Now()
		if err := service.Start(); err != nil {
			b.Fatal(err)
		}
		answers := map[string][]byte{}
		for _, endpoint := range endpoints {
			answers[endpoint] = untilAnswered(b, "http://"+addr+"/api/"+endpoint, token)
		}
		took = append(took, time.Since(begun))
		b.StopTimer()
		after = append(after, memoryOf(b, service.Process.Pid, "VmRSS"))
		if reference == nil {
			reference = answers
		}
		for _, endpoint := range endpoints {
			if !bytes.Equal(answers[endpoint], reference[endpoint]) {
				b.Errorf("%s is another after a restart", endpoint)
			}
		}
		press(b, addr, token)
		most = append(most, memoryOf(b, service.Process.Pid, "VmHWM"))
		if err := service.Process.Signal(syscall.SIGTERM); err != nil {
			b.Fatal(err)
		}
		if err := service.Wait(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	slices.Sort(took)
	slices.Sort(after)
	slices.Sort(most)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "median-ms")
	b.ReportMetric(float64(took[0].Milliseconds()), "min-ms")
	b.ReportMetric(float64(took[len(took)-1].Milliseconds()), "max-ms")
	b.ReportMetric(float64(after[len(after)-1])/1e3, "max-MB-then")
	b.ReportMetric(float64(most[len(most)-1])/1e3, "max-MB-under-load")
}

// buildProgram builds courant as it is released.
func buildProgram(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "courant")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "..")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return program
}

func runProgram(b *testing.B, program, stdin string, args ...string) string {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), program, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("courant %s: %v", args, err)
	}
	return string(out)
}

// untilAnswered asks until the answer is a body.
func untilAnswered(b *testing.B, url, token string) []byte {
	b.Helper()
	for {
		body, err := readBody(b.Context(), url, token, "identity")
		if err == nil {
			return body
		}
		select {
		case <-b.Context().Done():
			b.Fatal(err)
		case <-time.After(time.Millisecond):
		}
	}
}

func readBody(ctx context.Context, url, token, coding string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Accept-Encoding", coding)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", answer.StatusCode)
	}
	return io.ReadAll(answer.Body)
}

// press has 32 clients ask for everything.
func press(b *testing.B, addr, token string) {
	b.Helper()
	const clients, rounds = 32, 10
	var working sync.WaitGroup
	for range clients {
		working.Go(func() {
			for range rounds {
				for _, endpoint := range endpoints {
					for _, coding := range []string{"identity", "gzip", "zstd"} {
						if _, err := readBody(b.Context(), "http://"+addr+"/api/"+endpoint, token, coding); err != nil {
							b.Error(err)
							return
						}
					}
				}
			}
		})
	}
	working.Wait()
}

// memoryOf is what the kernel says a process holds, in kB.
func memoryOf(t testing.TB, pid int, name string) int {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, name+":"); found {
			kb, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kb
		}
	}
	t.Fatalf("no %s", name)
	return 0
}

// portThatIsFree returns an unused port of this machine.
func portThatIsFree(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
