package api

import "testing"

func TestTheLoopbackIsKnownByItsNamesAlone(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:80": true, "127.0.0.1": true, "127.9.9.9:8080": true, "::1": true, "[::1]": true, "[::1]:8080": true,
		"[::ffff:127.0.0.1]:80": true,
		"":                      false, ":80": false, "localhost.courant.example": false, "127.0.0.1.courant.example:80": false, "192.0.2.1": false, "0.0.0.0": false,
		"[::]:80": false, "courant.example": false,
	} {
		if got := isLoopbackHost(host); got != want {
			t.Errorf("%q is the loopback: %t", host, got)
		}
	}
}
