package api_test

import (
	"net/http/httptest"
	"net/netip"
	"testing"

	"courant/server/api"
)

func TestTheClientAddressIsTheOneThatATrustedProxyNames(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128")}
	for _, test := range []struct {
		trusted              []netip.Prefix
		remote, named, other string
		want                 string
	}{
		{nil, "127.0.0.1:5", "1.2.3.4", "", "127.0.0.1"},
		{nil, "10.0.0.1:5", "1.2.3.4", "1.2.3.4", "10.0.0.1"},
		{proxies, "10.0.0.1:5", "1.2.3.4", "", "1.2.3.4"},
		{proxies, "[2001:db8::1]:5", "1.2.3.4", "", "1.2.3.4"},
		{proxies, "[::ffff:10.0.0.1]:5", "1.2.3.4", "", "1.2.3.4"},
		{proxies, "10.0.0.1:5", "6.6.6.6, 1.2.3.4, 10.9.9.9", "", "1.2.3.4"}, // the client may have written what is before it
		{proxies, "127.0.0.1:5", "1.2.3.4", "", "127.0.0.1"},
		{proxies, "10.0.0.1:5", "203.0.113.7:51234", "", "203.0.113.7"},
		{proxies, "10.0.0.1:5", "[2001:db8::7]:443", "", "2001:db8::7"},
		{proxies, "10.0.0.1:5", "[2001:db8::7]", "", "2001:db8::7"},
		{proxies, "10.0.0.1:5", "2001:db8::7", "", "2001:db8::7"},
		{proxies, "10.0.0.1:5", "::ffff:203.0.113.7", "", "203.0.113.7"},
		{proxies, "10.0.0.1:5", "6.6.6.6, 203.0.113.7:51234, 10.9.9.9:80", "", "203.0.113.7"},
		{proxies, "10.0.0.1:5", "6.6.6.6, unknown", "", "10.0.0.1"}, // the proxy does not name its client
		{proxies, "10.0.0.1:5", "6.6.6.6, [203.0.113.7]", "", "10.0.0.1"},
		{proxies, "10.0.0.1:5", "6.6.6.6, [2001:db8::7", "", "10.0.0.1"},
		{proxies, "10.0.0.1:5", "6.6.6.6, 203.0.113.7:99999", "", "10.0.0.1"},
		{proxies, "10.0.0.1:5", "6.6.6.6, 203.0.113.7:", "", "10.0.0.1"},
		{proxies, "10.0.0.1:5", "unknown, 1.2.3.4", "", "1.2.3.4"},
		{proxies, "10.0.0.1:5", "10.0.0.3, 10.0.0.2", "", "10.0.0.3"},
		{proxies, "10.0.0.1:5", ", ,", "", "10.0.0.1"},
		{proxies, "192.168.0.1:5", "203.0.113.7:51234", "", "192.168.0.1"},
		{proxies, "192.168.0.1:5", "1.2.3.4", "", "192.168.0.1"},
		{proxies, "10.0.0.1:5", "", "6.6.6.6", "10.0.0.1"}, // X-Real-IP is not used
	} {
		f := open(t, func(o *api.Options) { o.TrustedProxies = test.trusted })
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = test.remote
		if test.named != "" {
			r.Header.Set("X-Forwarded-For", test.named)
		}
		if test.other != "" {
			r.Header.Set("X-Real-Ip", test.other)
		}
		if got := f.PeerOf(r); got != test.want {
			t.Errorf("of %+v the peer is %s", test, got)
		}
	}
}
