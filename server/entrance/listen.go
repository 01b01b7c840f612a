package entrance

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// IsPortTaken says whether an address cannot be listened at because another process does.
func IsPortTaken(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

func listenTLS(addr, fallback string) (net.Listener, error) {
	listener, err := net.Listen("tcp", cmp.Or(addr, fallback))
	if err != nil {
		return nil, fmt.Errorf("%w: server.tls.domain needs this port: free it, and let this user take it (the unit of courant service install does)", err)
	}
	return listener, nil
}
