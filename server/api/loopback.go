package api

import (
	"net"
	"net/netip"
	"strings"
)

// isLoopbackHost reports whether the Host of a request, with or without a port, is a name or an address of the loopback.
// A page of the web can make a browser on this machine ask the loopback, but only under the page's own name.
func isLoopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}
