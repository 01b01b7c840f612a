package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"courant/ingest/simulator"
)

// The delivery dates in the database: 90 of prices, 29 of capacity, one of energy.
const (
	firstPrices   = "2026-01-05"
	firstCapacity = "2026-03-07"
	firstCSV      = "2026-03-05" // of 31
	latest        = "2026-04-04"
)

const (
	mostStart = 30 * time.Second
	mostStop  = 10 * time.Second
)

// process is a server that runs.
type process struct {
	cmd   *exec.Cmd
	addr  string
	token func() (string, error) // makes a token; nil: the server needs none
}

// freeAddr returns an address of the loopback at which nothing listens.
func freeAddr() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// output runs a command and returns what it wrote to stdout.
func output(ctx context.Context, folder string, env []string, stdin string, command ...string) (string, error) {
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Dir, c.Env, c.Stdin = folder, append(os.Environ(), env...), strings.NewReader(stdin)
	var faults bytes.Buffer
	c.Stderr = &faults
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, bytes.TrimSpace(faults.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}

// build builds Courant as a release is built.
func build(ctx context.Context, program string) error {
	_, err := output(ctx, "../../..", []string{"CGO_ENABLED=0"}, "", "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, ".")
	return err
}

// serve has a build of Courant collect simulated data in a folder of its own, and starts it.
func serve(ctx context.Context, program, folder string) (*process, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	sources, err := simulator.Start(simulator.Options{})
	if err != nil {
		return nil, err
	}
	defer sources.Close()
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	env := []string{
		"COURANT_SERVER_ADDR=" + addr, "COURANT_DATABASE_PATH=" + filepath.Join(folder, "courant.db"),
		"COURANT_ENTSOE_BASE_URL=" + sources.ENTSOEURL, "COURANT_ENTSOE_SECURITY_TOKEN=" + simulator.SecurityToken,
		"COURANT_RTE_BASE_URL=" + sources.RTEURL, "COURANT_RTE_CLIENT_ID=" + simulator.ClientID, "COURANT_RTE_CLIENT_SECRET=" + simulator.ClientSecret,
		"COURANT_INGEST_ENABLED=false", "COURANT_API_RATE_LIMIT_PER_MINUTE=1000000", "COURANT_LOG_LEVEL=warn",
	}
	const email = "wire@courant.example"
	for _, args := range [][]string{
		{"fetch", "day-ahead-prices", "--from", firstPrices, "--to", latest},
		{"fetch", "fcr-capacity", "--from", firstCapacity, "--to", latest},
		{"fetch", "afrr-energy", "--from", latest, "--to", latest},
		{"fetch", "mfrr-energy", "--from", latest, "--to", latest},
		{"user", "add", email, "--admin", "--password-stdin"},
	} {
		if _, err := output(ctx, folder, env, time.Now().String(), append([]string{program}, args...)...); err != nil {
			return nil, err
		}
	}
	p := &process{addr: addr, token: func() (string, error) {
		return output(ctx, folder, env, "", program, "token", "create", email, "--name", "wire")
	}}
	return p, p.start(ctx, folder, env, "/readyz", program, "serve")
}

// serveBeside starts a server of copies of another one's answers.
func serveBeside(ctx context.Context, origin *process) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	p := &process{addr: addr}
	return p, p.start(ctx, ".", []string{copyOf + "=" + origin.addr + " " + addr}, "/healthz?fill", self)
}

// start starts the server and waits until it answers.
func (p *process) start(ctx context.Context, folder string, env []string, path string, command ...string) error {
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = folder, append(os.Environ(), env...), os.Stderr
	if err := p.cmd.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, mostStart)
	defer cancel()
	for {
		response, err := p.ask(ctx, path, nil)
		if err == nil && response.status == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", command[0], ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the server.
func (p *process) stop() {
	if p == nil || p.cmd == nil || p.cmd.Process == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	force := time.AfterFunc(mostStop, func() { _ = p.cmd.Process.Kill() })
	defer force.Stop()
	_ = p.cmd.Wait()
}

// answer is what a server answered to one request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask makes one request with these headers.
func (p *process) ask(ctx context.Context, path string, headers map[string]string) (*answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept-Encoding", "identity")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return &answer{response.StatusCode, response.Header, body}, err
}
