package server_test

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"courant/server/command"
)

func TestSystemdIsNotifiedThatServeIsReadyAliveAndStopping(t *testing.T) {
	t.Chdir(t.TempDir())
	socket := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	hear := func() string {
		told := make([]byte, 100)
		n, err := systemd.Read(told)
		if err != nil {
			t.Fatal(err)
		}
		return string(told[:n])
	}
	p := start(t, []string{"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=300000", "COURANT_SERVER_ADDR=127.0.0.1:0"}, true, "serve")
	for _, want := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"} {
		if told := hear(); told != want {
			t.Errorf("systemd hears %q, want %q", told, want)
		}
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for told := ""; told != "STOPPING=1"; {
		told = hear()
	}
	if code := p.finish(); code != command.ExitDone {
		t.Errorf("exit %d", code)
	}
}
