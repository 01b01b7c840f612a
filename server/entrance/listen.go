package entrance

import (
	"errors"
	"net"
	"syscall"
)

// PortError is an address that cannot be listened at.
type PortError struct {
	ForTLS bool // it is one of the two that a certificate needs
	Err    error
}

func (e *PortError) Error() string { return e.Err.Error() }

func (e *PortError) Unwrap() error { return e.Err }

// IsPortTaken reports whether an address cannot be listened at because another process listens there.
func IsPortTaken(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// Listen opens a port for requests without TLS. Its error is a *PortError.
func Listen(addr string) (net.Listener, error) {
	listener, err := listen(addr, false)
	if err != nil {
		return nil, err
	}
	return joinedListener{listener}, nil
}

func listen(addr string, forTLS bool) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, &PortError{ForTLS: forTLS, Err: err}
	}
	return listener, nil
}
