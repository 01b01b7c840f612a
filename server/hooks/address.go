package hooks

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode"

	"golang.org/x/net/idna"

	"courant/web"
)

// errAddress is an address to which Courant sends nothing.
var errAddress = errors.New("the address is not globally reachable")

// global6 is the space of global unicast addresses, and nat64 that of addresses which a translator maps to those of IPv4.
var (
	global6 = netip.MustParsePrefix("2000::/3")
	nat64   = netip.MustParsePrefix("64:ff9b::/96")
)

// special are the blocks of the IANA special-purpose address registries that are not globally reachable, multicast
// addresses, and those that lead to an address of IPv4 within them (6to4, Teredo). Of IPv6 it has those within global6.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// isGlobal reports whether an address is globally reachable. An address of IPv6 that stands for one of IPv4 is as that one.
func isGlobal(addr netip.Addr) bool {
	addr = addr.Unmap()
	if nat64.Contains(addr) {
		bytes := addr.As16()
		addr = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	if !addr.IsValid() || addr.Zone() != "" || addr.Is6() && !global6.Contains(addr) {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// controller is called by a dialer before each connection.
type controller func(network, address string, _ syscall.RawConn) error

// control returns the check of each connection of a dialer, which sees the address after the name was resolved. Connections
// without TLS go to private addresses only, so that nothing crosses the Internet unencrypted.
func control(allowPrivate, isPlain bool) controller {
	return func(_, address string, _ syscall.RawConn) error {
		peer, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if global := isGlobal(peer.Addr()); !global && !allowPrivate || global && isPlain {
			return errAddress
		}
		return nil
	}
}

const maxURLBytes = 2048

// CheckURL returns an *InputError if nothing can be delivered to an address, as far as it tells before its name is resolved.
func (s *Service) CheckURL(text string) error {
	accepts := &InputError{"url", web.Text{
		FR: "une adresse https:// publique, sans identifiants ni fragment", EN: "a public https:// address, without credentials or a fragment",
	}}
	if s.AllowPrivate {
		accepts.Accepts = web.Text{
			FR: "une adresse https://, ou http:// sur un réseau privé, sans identifiants ni fragment",
			EN: "an address with https://, or with http:// in a private network, without credentials or a fragment",
		}
	}
	u, err := url.Parse(text)
	switch {
	case err != nil, len(text) > maxURLBytes, u.Hostname() == "", u.User != nil, u.Fragment != "", !isPort(u):
		return accepts
	case u.Scheme != "https" && !(u.Scheme == "http" && s.AllowPrivate):
		return accepts
	}
	host, err := asciiHost(u)
	if err != nil {
		return accepts
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if control(s.AllowPrivate, u.Scheme == "http")("", netip.AddrPortFrom(addr, 1).String(), nil) != nil {
			return accepts
		}
		return nil
	}
	// Some resolvers read 2130706433, 127.1 and 0x7f.1 as addresses, and complete a name without a dot to one of their network.
	last := host[strings.LastIndexByte(host, '.')+1:]
	isNumber := strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x")
	if isNumber || !strings.Contains(host, ".") && !s.AllowPrivate {
		return accepts
	}
	return nil
}

// asciiHost returns the name or the IP address in a URL as it is resolved: in lower case and ASCII, without a dot at the end.
func asciiHost(u *url.URL) (string, error) {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return idna.Lookup.ToASCII(host)
	}
	return host, nil
}

// isPort reports whether the port of an address, if it names one, is one to which a connection can be made.
func isPort(u *url.URL) bool {
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return u.Port() == "" || err == nil && port > 0
}

// HostOf returns the host and the port of a webhook's address, for lists and logs: the rest of the address may be a secret. Names
// are in ASCII, so that none looks like another one.
func HostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host, err := asciiHost(u)
	switch {
	case err != nil:
		return ""
	case u.Port() != "":
		return net.JoinHostPort(host, u.Port())
	case strings.Contains(host, ":"):
		return "[" + host + "]"
	}
	return host
}

// describe names a hook in the audit log.
func describe(address string) string {
	if address == "" {
		return "mail"
	}
	return strings.TrimSpace(fmt.Sprintf("webhook %s", HostOf(address)))
}
