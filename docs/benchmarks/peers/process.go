package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

const (
	mostStart = 30 * time.Second // for a start, its first answer included
	mostStop  = 10 * time.Second // for a stop; then the process is killed
)

// process is a server that runs.
type process struct {
	cmd    *exec.Cmd
	faults bytes.Buffer
	ended  chan struct{} // closed when it has ended
}

// start starts the process of a server.
func (s *server) start() (*process, error) {
	p := &process{cmd: exec.Command(s.command[0], s.command[1:]...), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = s.folder, append(os.Environ(), s.env...), &p.faults
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended is of no interest: its stop is asked for
	}()
	return p, nil
}

// firstAnswer asks again and again until the whole document has come once.
func (p *process) firstAnswer(ctx context.Context, s *server) ([][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, mostStart)
	defer cancel()
	for {
		bodies, err := documentAnew(ctx, s, s.ways[0])
		if err == nil {
			return bodies, nil
		}
		select {
		case <-p.ended:
			return nil, fmt.Errorf("ended before it answered: %s", bytes.TrimSpace(p.faults.Bytes()))
		case <-ctx.Done():
			return nil, fmt.Errorf("no document: %w: %w", ctx.Err(), err)
		case <-time.After(time.Millisecond):
		}
	}
}

// stop asks the process to end and waits until it has.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-p.ended:
	case <-time.After(mostStop):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// memory reads from /proc a figure of the process in bytes: VmRSS, what it has in memory, or VmHWM, the most it ever had.
func (p *process) memory(figure string) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		if words := bytes.Fields(line); len(words) == 3 && string(words[0]) == figure+":" {
			kib, err := strconv.ParseFloat(string(words[1]), 64)
			return kib * 1024, err
		}
	}
	return 0, fmt.Errorf("/proc tells no %s", figure)
}
