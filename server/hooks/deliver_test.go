package hooks_test

import (
	"context"
	"encoding/binary"
	"io"
	"math"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"golang.org/x/net/dns/dnsmessage"

	"courant/server/hooks"
	"courant/store"
	"courant/store/market"
)

// verified reports whether the library accepts a request with a secret.
func verified(t testing.TB, r received, secret string) bool {
	t.Helper()
	library, err := standardwebhooks.NewWebhook(secret)
	must(t, err)
	return library.VerifyIgnoringTimestamp(r.body, r.header) == nil // of the fake clock
}

func TestDeliveriesAreSignedAsStandardWebhooksDescribes(t *testing.T) {
	t.Parallel()
	f := open(t)
	hook := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	test := func() received {
		_, err := f.SendTest(t.Context(), f.caller, hook.ID)
		must(t, err)
		f.step(t)
		all := f.receiver.take()
		if len(all) != 1 || all[0].message(t).Type != "test" {
			t.Fatalf("%d requests", len(all))
		}
		return all[0]
	}
	first := test()
	if !verified(t, first, hook.Secret) || verified(t, received{first.header, append(slices.Clone(first.body), ' ')}, hook.Secret) {
		t.Errorf("not signed: %v", first.header)
	}
	if got := first.header.Get("Webhook-Timestamp"); got != "1784023200" || first.header.Get("Content-Type") != "application/json" || first.header.Get("User-Agent") != "courant/test" {
		t.Errorf("%v", first.header)
	}
	secret, err := f.ReplaceSecret(t.Context(), f.caller, hook.ID)
	must(t, err)
	during := test()
	f.clock.Advance(24 * time.Hour)
	after := test()
	if !verified(t, during, hook.Secret) || !verified(t, during, secret) || verified(t, after, hook.Secret) || !verified(t, after, secret) {
		t.Errorf("with two secrets %v, later %v", during.header, after.header)
	}
}

func TestADeliveryIsRepeatedFor24HoursAndThenItsHookIsDisabled(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.receiver.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	hook := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	begun := f.clock.Now()
	f.step(t)
	ids := map[string]int{}
	for {
		for _, r := range f.receiver.take() {
			ids[r.header.Get("Webhook-Id")]++
		}
		d := f.delivery(t, hook)
		if d.Outcome != store.DeliveryWaiting {
			break
		}
		if d.Status != 503 || d.Fault != "status" || !d.Next.After(f.clock.Now()) {
			t.Fatalf("%+v", d)
		}
		f.clock.Advance(d.Next.Sub(f.clock.Now()) - time.Millisecond)
		f.step(t)
		if all := f.receiver.take(); len(all) > 0 {
			t.Fatal("sent too early")
		}
		f.clock.Advance(time.Millisecond)
		f.restart()
		f.step(t)
	}
	if lasted := f.clock.Now().Sub(begun); lasted != 24*time.Hour || len(ids) != 1 {
		t.Errorf("lasted %s, ids %v", lasted, ids)
	}
	if d := f.delivery(t, hook); d.Outcome != store.DeliveryFailed || ids[d.ID] != 10 || d.Attempts != 10 {
		t.Errorf("%+v, %v", d, ids)
	}
	disabled, err := f.store.HookOf(t.Context(), f.caller.AccountID, hook.ID)
	must(t, err)
	if disabled.Disabled.IsZero() || disabled.DisabledWhy != "given_up" {
		t.Errorf("%+v", disabled)
	}
	notes, _, err := f.auth.Notes(t.Context(), 0)
	must(t, err)
	if n := notes[0]; n.Event != "hook_disabled" || n.Actor != "Courant" || n.Subject != "boris@example.org" || strings.Contains(n.Detail, "/courant") {
		t.Errorf("%+v", n)
	}

	// What comes while it is disabled is not sent; enabled again, it goes on, and a failed delivery can be sent again.
	f.commit(t, prices(day.Add(1), 1, nil))
	f.step(t)
	if _, err := f.SendTest(t.Context(), f.caller, hook.ID); err != hooks.ErrDisabled {
		t.Errorf("a test of a disabled hook: %v", err)
	}
	f.receiver.answer = nil
	must(t, f.Enable(t.Context(), f.caller, hook.ID))
	f.step(t)
	if all := f.receiver.take(); len(all) > 0 {
		t.Errorf("sent %s", all[0].body)
	}
	failed := f.delivery(t, hook)
	resent, err := f.Resend(t.Context(), f.caller, hook.ID, failed.ID)
	must(t, err)
	if pause := resent.Next.Sub(failed.Tried); pause != 5*time.Second {
		t.Errorf("sent again %s after the last attempt", pause)
	}
	f.clock.Advance(5 * time.Second)
	f.step(t)
	if all := f.receiver.take(); len(all) != 1 || all[0].header.Get("Webhook-Id") != failed.ID || f.delivery(t, hook).Outcome != store.DeliveryDelivered {
		t.Errorf("sent again: %v", all)
	}
}

func TestFaultsOfReceivers(t *testing.T) {
	t.Parallel()
	elsewhere := newReceiver(t, nil)
	plain := newPlainReceiver(t)
	for name, test := range map[string]struct {
		answer   func(w http.ResponseWriter, r *http.Request)
		url      string // if it is not that of the receiver
		status   int
		fault    string
		disables bool
		next     time.Duration
		leftOut  int // attempts
	}{
		"an error":  {answer: status(500), status: 500, fault: "status", next: 5 * time.Second},
		"not found": {answer: status(404), status: 404, fault: "status", next: 5 * time.Second},
		"gone":      {answer: status(410), status: 410, fault: "gone", disables: true},
		"a redirection": {answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, status: 307, fault: "redirect", next: 5 * time.Second},
		"too many requests":       {answer: retryAfter("90"), status: 429, fault: "status", next: 6*time.Minute + 5*time.Second, leftOut: 2},
		"a date in Retry-After":   {answer: retryAfter(noon.Add(time.Minute).UTC().Format(http.TimeFormat)), status: 429, fault: "status", next: 65 * time.Second, leftOut: 1},
		"a Retry-After of a year": {answer: retryAfter("31536000"), status: 429, fault: "status", next: 24 * time.Hour, leftOut: 8},
		"a hanging answer":        {answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, fault: "timeout", next: 5 * time.Second},
		"a broken connection":     {answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, fault: "connection", next: 5 * time.Second},
		"a long header":           {answer: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 70<<10)) }, fault: "connection", next: 5 * time.Second},
		"an unknown certificate":  {url: "https://" + elsewhere.Listener.Addr().String(), fault: "tls", next: 5 * time.Second},
		"no TLS":                  {url: "https://" + plain, fault: "tls", next: 5 * time.Second},
		"nobody listens":          {url: "https://" + closedPort(t), fault: "connection", next: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var results []string
			f := open(t, func(o *hooks.Options) { o.Attempted = func(fault string) { results = append(results, fault) } })
			f.receiver.answer = test.answer
			if strings.HasPrefix(name, "an unknown") {
				f.options.Roots = nil
				f.restart()
			}
			if test.fault == "timeout" {
				f.SetAttemptTime(50 * time.Millisecond)
			}
			url := f.receiver.URL
			if test.url != "" {
				url = test.url
			}
			hook, err := f.Add(t.Context(), f.caller, hooks.Request{URL: url, Events: []hooks.Event{event(hooks.DateComplete, market.DayAheadPrices, nil)}})
			must(t, err)
			f.commit(t, prices(day, 1, nil))
			f.step(t)
			d := f.delivery(t, hook)
			next := time.Duration(0)
			if !d.Next.IsZero() {
				next = d.Next.Sub(f.clock.Now())
			}
			if d.Status != test.status || d.Fault != test.fault || next != test.next || d.Attempts != 1+test.leftOut || len(results) != 1 || results[0] != test.fault {
				t.Errorf("%+v, counted %v", d, results)
			}
			if got, _ := f.store.HookByID(t.Context(), hook.ID); got.Disabled.IsZero() == test.disables {
				t.Errorf("%+v", got)
			}
		})
	}
	t.Cleanup(func() {
		if all := elsewhere.take(); len(all) > 0 {
			t.Error("a redirection was followed")
		}
	})
}

func TestTheAnswerIsReadUpToALimitAndItsStatusCounts(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.receiver.answer = func(w http.ResponseWriter, _ *http.Request) { // it never ends
		for part := make([]byte, 4096); ; {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	}
	hook := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	f.step(t)
	if d := f.delivery(t, hook); d.Outcome != store.DeliveryDelivered || d.Status != 200 {
		t.Errorf("%+v", d)
	}
}

func TestATestIsSentOnceAndDisablesNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.receiver.answer = status(410)
	hook := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	_, err := f.SendTest(t.Context(), f.caller, hook.ID)
	must(t, err)
	f.step(t)
	if d := f.delivery(t, hook); d.Outcome != store.DeliveryFailed || !d.Next.IsZero() || d.Fault != "gone" {
		t.Errorf("%+v", d)
	}
	if got, _ := f.store.HookByID(t.Context(), hook.ID); !got.Disabled.IsZero() {
		t.Error("the hook is disabled")
	}
}

func TestEachDeliveryIsCheckedAgainstWhatItsOwnerMayReadThen(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.caller = f.account(t, "anne@example.org", store.Member)
	if _, err := f.Add(t.Context(), f.caller, hooks.Request{URL: f.receiver.URL, Events: []hooks.Event{event(hooks.DateComplete, market.AFRRCapacity, nil)}}); err == nil {
		t.Error("a member without a subscription has a hook for aFRR capacity")
	}
	must(t, f.store.SetSubscription(t.Context(), store.Note{}, "anne@example.org", store.Subscription{Offer: "everything", Start: f.clock.Now()}))
	f.caller, _ = f.auth.IdentityOf(t.Context(), f.caller.AccountID)
	hook := f.add(t, event(hooks.DateComplete, market.AFRRCapacity, nil))
	f.commit(t, capacity(day, 1, 2))
	must(t, f.Judge(t.Context()))

	// A disabled account's deliveries wait.
	must(t, f.store.DisableAccount(t.Context(), store.Note{}, "anne@example.org", f.clock.Now()))
	f.clock.Advance(48 * time.Hour)
	f.step(t)
	if d := f.delivery(t, hook); d.Attempts != 0 || d.Outcome != store.DeliveryWaiting {
		t.Errorf("of a disabled account: %+v", d)
	}
	must(t, f.store.EnableAccount(t.Context(), store.Note{}, "anne@example.org"))
	f.step(t)
	if m := f.only(t); m.Data.Dataset != "afrr-capacity" {
		t.Errorf("%+v", m)
	}

	f.commit(t, capacity(day.Add(1), 1, 2))
	must(t, f.Judge(t.Context()))
	must(t, f.store.EndSubscription(t.Context(), store.Note{}, "anne@example.org"))
	f.step(t)
	if d := f.delivery(t, hook); d.Outcome != store.DeliveryRefused || d.Fault != "rights" || len(f.receiver.take()) > 0 {
		t.Errorf("without the subscription: %+v", d)
	}
}

// A receiver that does not answer delays no other.
func TestHooksAreServedBesideOneAnother(t *testing.T) {
	t.Parallel()
	f := open(t)
	served := make(chan struct{})
	f.receiver.answer = func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/hangs") {
			close(served)
			return
		}
		select {
		case <-served:
			w.WriteHeader(http.StatusServiceUnavailable)
		case <-r.Context().Done():
		}
	}
	complete := []hooks.Event{event(hooks.DateComplete, market.DayAheadPrices, nil)}
	hanging, err := f.Add(t.Context(), f.caller, hooks.Request{URL: f.receiver.URL + "/hangs", Events: complete})
	must(t, err)
	good := f.add(t, complete...)
	f.commit(t, prices(day, 1, nil))
	f.step(t)
	if f.delivery(t, hanging).Fault != "status" || f.delivery(t, good).Outcome != store.DeliveryDelivered {
		t.Errorf("%+v, %+v", f.delivery(t, hanging), f.delivery(t, good))
	}
}

func TestRunDeliversWhatIsCommittedAndStops(t *testing.T) {
	t.Parallel()
	f := open(t)
	got := make(chan struct{})
	f.receiver.answer = func(http.ResponseWriter, *http.Request) { got <- struct{}{} }
	f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil), event(hooks.FeedLate, market.AFRREnergy, nil))
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { f.Run(ctx) })
	f.commit(t, prices(day, 1, nil))
	f.Wake()
	<-got
	f.clock.Advance(time.Minute) // the first look at the states
	must(t, f.clock.BlockUntilContext(t.Context(), 1))
	stop()
	running.Wait()
}

func TestWhichAddressesAreGloballyReachable(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"93.184.216.34": true, "1.1.1.1": true, "2606:2800:220:1::1": true, "64:ff9b::5db8:d822": true, "::ffff:93.184.216.34": true,
		"192.31.196.1": true, "100.63.255.255": true, "172.32.0.1": true, "2001:200::1": true,
		"0.0.0.0": false, "10.1.2.3": false, "100.64.0.1": false, "127.0.0.1": false, "127.255.255.254": false, "169.254.169.254": false,
		"172.16.0.1": false, "172.31.255.255": false, "192.0.0.8": false, "192.0.2.1": false, "192.88.99.1": false, "192.168.1.1": false,
		"198.18.0.1": false, "198.19.255.255": false, "198.51.100.7": false, "203.0.113.7": false, "224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::127.0.0.1": false, "64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false,
		"64:ff9b:1::1": false, "100::1": false, "100:0:0:1::1": false, "2001::1": false, "2001:2::1": false, "2001:20::1": false, "2001:db8::1": false, "2002:7f00:1::": false, "2002:5db8:d822::1": false,
		"3fff::1": false, "5f00::1": false, "fc00::1": false, "fd12::1": false, "fe80::1": false, "fe80::1%eth0": false, "2606:2800:220:1::1%eth0": false, "fec0::1": false, "ff02::1": false,
	} {
		if got := hooks.IsGlobal(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is globally reachable: %t", address, got)
		}
	}
}

// names answers questions of a resolver: each with the next of the addresses of the name, the last one for ever.
type names struct {
	mu        sync.Mutex
	addresses map[string][]string
}

// resolver returns a resolver that asks the names.
func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go n.serve(server)
		return client, nil
	}}
}

// serve answers questions as over TCP, each after its length.
func (n *names) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var length uint16
		if binary.Read(conn, binary.BigEndian, &length) != nil {
			return
		}
		packet := make([]byte, length)
		var message dnsmessage.Message
		if _, err := io.ReadFull(conn, packet); err != nil || message.Unpack(packet) != nil {
			return
		}
		question := message.Questions[0]
		message.Response, message.Additionals = true, nil
		if addr := n.next(question); addr.IsValid() {
			header := dnsmessage.ResourceHeader{Name: question.Name, Class: question.Class, Type: question.Type}
			if question.Type == dnsmessage.TypeA {
				message.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}}}
			} else {
				message.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}}}
			}
		}
		answer, err := message.AppendPack([]byte{0, 0})
		if err != nil {
			return
		}
		binary.BigEndian.PutUint16(answer, uint16(len(answer)-2))
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// next returns the answer to a question; the zero address if there is none of its type.
func (n *names) next(question dnsmessage.Question) netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := strings.TrimSuffix(question.Name.String(), ".")
	all := n.addresses[name]
	if len(all) == 0 {
		return netip.Addr{}
	}
	addr := netip.MustParseAddr(all[0])
	if addr.Is4() != (question.Type == dnsmessage.TypeA) {
		return netip.Addr{}
	}
	if len(all) > 1 {
		n.addresses[name] = all[1:]
	}
	return addr
}

// The name is resolved and its address is checked at each connection, so an address that changes later is checked too.
func TestNothingIsSentToAddressesThatAreNotGloballyReachable(t *testing.T) {
	t.Parallel()
	for name, addresses := range map[string][]string{
		"loopback": {"127.0.0.1"}, "loopback-6": {"::1"}, "link-local": {"169.254.169.254"}, "mapped": {"::ffff:127.0.0.1"}, "nat64": {"64:ff9b::7f00:1"},
		"private": {"10.0.0.1"}, "rebound": {"93.184.216.34", "127.0.0.1"}, "rebound-6": {"2606:2800:220:1::1", "::ffff:169.254.169.254"}, "unknown": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := name + ".example.com"
			server := &names{addresses: map[string][]string{host: slices.Clone(addresses)}}
			f := open(t, func(o *hooks.Options) { o.AllowPrivate, o.Resolver = false, server.resolver() })
			var accepted []string
			f.Dial(func(address string) { accepted = append(accepted, address) })
			port := f.receiver.Listener.Addr().(*net.TCPAddr).Port
			hook, err := f.Add(t.Context(), f.caller, hooks.Request{
				URL: "https://" + net.JoinHostPort(host, itoa(port)), Events: []hooks.Event{event(hooks.DateComplete, market.DayAheadPrices, nil)},
			})
			must(t, err)
			f.commit(t, prices(day, 1, nil))
			f.step(t)
			if len(addresses) == 2 { // the first address was accepted
				if d := f.delivery(t, hook); d.Fault != "connection" || len(accepted) != 1 || !strings.HasPrefix(strings.Trim(accepted[0], "["), addresses[0]) {
					t.Errorf("%+v, accepted %v", d, accepted)
				}
				f.clock.Advance(5 * time.Second)
				f.step(t)
			}
			want := "address"
			if name == "unknown" {
				want = "name"
			}
			if d := f.delivery(t, hook); d.Fault != want || len(accepted) != max(len(addresses)-1, 0) || len(f.receiver.take()) > 0 {
				t.Errorf("%+v, accepted %v", d, accepted)
			}
		})
	}
}

func TestWhereAWebhookMayLead(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]struct{ public, private bool }{
		"https://receiver.example.org/hook?key=1":   {true, true},
		"https://93.184.216.34":                     {true, true},
		"https://receiver.example.org:8443/":        {true, true},
		"https://127.0.0.1/":                        {false, true},
		"https://[::1]/":                            {false, true},
		"https://[::ffff:10.0.0.1]/":                {false, true},
		"https://[64:ff9b::a00:1]/":                 {false, true},
		"http://receiver.example.org/":              {false, true}, // its address is checked later
		"http://192.168.1.20:8123/api/webhook/x":    {false, true},
		"http://93.184.216.34/":                     {},
		"ftp://receiver.example.org/":               {},
		"https://anne:secret@receiver.example.org/": {},
		"https://receiver.example.org/#part":        {},
		"https:///hook":                             {},
		"//receiver.example.org/":                   {},
		"receiver.example.org":                      {},
		"":                                          {},
		"https://receiver.example.org/" + strings.Repeat("x", 2048): {},
	} {
		for _, allowPrivate := range []bool{false, true} {
			s := hooks.New(hooks.Options{AllowPrivate: allowPrivate})
			wanted := want.public
			if allowPrivate {
				wanted = want.private
			}
			if err := s.CheckURL(address); (err == nil) != wanted {
				t.Errorf("%.60q, private addresses %t: %v", address, allowPrivate, err)
			}
		}
	}
}

func TestWithoutTLSNothingLeavesThePrivateNetwork(t *testing.T) {
	t.Parallel()
	host := "plain.example.com"
	server := &names{addresses: map[string][]string{host: {"93.184.216.34", "192.168.1.20"}}}
	f := open(t, func(o *hooks.Options) { o.Resolver = server.resolver() })
	var accepted []string
	f.Dial(func(address string) { accepted = append(accepted, address) })
	hook, err := f.Add(t.Context(), f.caller, hooks.Request{URL: "http://" + host, Events: []hooks.Event{event(hooks.DateComplete, market.DayAheadPrices, nil)}})
	must(t, err)
	f.commit(t, prices(day, 1, nil))
	f.step(t)
	if d := f.delivery(t, hook); d.Fault != "address" || len(accepted) > 0 {
		t.Errorf("%+v, accepted %v", d, accepted)
	}
	f.clock.Advance(5 * time.Second)
	f.step(t)
	if !slices.Equal(accepted, []string{"192.168.1.20:80"}) {
		t.Errorf("accepted %v", accepted)
	}
}

func TestWhatIsAskedForIsChecked(t *testing.T) {
	t.Parallel()
	f := open(t)
	for name, test := range map[string]struct {
		event hooks.Event
		field string
	}{
		"no type":                  {hooks.Event{Dataset: market.DayAheadPrices}, "events[0].type"},
		"a test":                   {event(hooks.Test, market.DayAheadPrices, nil), "events[0].type"},
		"no dataset":               {event(hooks.DateComplete, "", nil), "events[0].dataset"},
		"no threshold":             {event(hooks.PriceBelow, market.DayAheadPrices, nil), "events[0].threshold"},
		"a huge threshold":         {event(hooks.PriceBelow, market.DayAheadPrices, number(1e9)), "events[0].threshold"},
		"a threshold that is none": {event(hooks.PriceBelow, market.DayAheadPrices, number(math.NaN())), "events[0].threshold"},
		"a needless threshold":     {event(hooks.PriceNegative, market.DayAheadPrices, number(1)), "events[0].threshold"},
		"an unknown column":        {hooks.Event{Type: hooks.PriceNegative, Dataset: market.DayAheadPrices, Column: "price"}, "events[0].column"},
		"a column of texts":        {hooks.Event{Type: hooks.PriceNegative, Dataset: market.ImbalancePrices, Column: "system_trend"}, "events[0].column"},
		"a column of a date":       {hooks.Event{Type: hooks.DateComplete, Dataset: market.DayAheadPrices, Column: "price_eur_mwh"}, "events[0].column"},
		"an unknown key":           {hooks.Event{Type: hooks.PriceNegative, Dataset: market.AFRRCapacity, Keys: map[string]hooks.Values{"zone": {"FR"}}}, "events[0].keys"},
		"an unknown value":         {hooks.Event{Type: hooks.PriceNegative, Dataset: market.AFRRCapacity, Keys: map[string]hooks.Values{"direction": {"UP"}}}, "events[0].keys.direction"},
		"no value of a key":        {hooks.Event{Type: hooks.PriceNegative, Dataset: market.AFRRCapacity, Keys: map[string]hooks.Values{"direction": nil}}, "events[0].keys.direction"},
		"keys of a dataset alone":  {hooks.Event{Type: hooks.FeedLate, Dataset: market.AFRRCapacity, Keys: map[string]hooks.Values{"direction": {"UPWARD"}}}, "events[0].keys"},
	} {
		_, err := f.Add(t.Context(), f.caller, hooks.Request{URL: f.receiver.URL, Events: []hooks.Event{test.event}})
		if input, is := err.(*hooks.InputError); !is || input.Field != test.field || input.Accepts.FR == "" || input.Accepts.EN == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := event(hooks.DateComplete, market.DayAheadPrices, nil)
	for name, request := range map[string]hooks.Request{
		"no events":          {URL: f.receiver.URL},
		"21 events":          {URL: f.receiver.URL, Events: slices.Repeat([]hooks.Event{good}, 21)},
		"a long description": {URL: f.receiver.URL, Events: []hooks.Event{good}, Description: strings.Repeat("é", 201)},
		"a line break":       {URL: f.receiver.URL, Events: []hooks.Event{good}, Description: "a\nb"},
		"revisions by mail":  {Events: []hooks.Event{event(hooks.RowsRevised, market.DayAheadPrices, nil)}},
	} {
		if _, err := f.Add(t.Context(), f.caller, request); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for range store.MostHooks {
		f.add(t, good)
	}
	if _, err := f.Add(t.Context(), f.caller, hooks.Request{URL: f.receiver.URL, Events: []hooks.Event{good}}); err == nil {
		t.Error("one hook too many")
	}
	for _, dataset := range market.Datasets() {
		if hooks.PriceColumn(dataset).Name == "" {
			t.Errorf("%s has no price", dataset)
		}
	}
}

func TestADeliveryThatIsAskedForAgainWhileItIsSentIsSentAgain(t *testing.T) {
	t.Parallel()
	f := open(t)
	hook := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	var asked sync.Once
	f.receiver.answer = func(_ http.ResponseWriter, r *http.Request) {
		asked.Do(func() {
			f.clock.Advance(time.Millisecond)
			if _, err := f.Resend(r.Context(), f.caller, hook.ID, r.Header.Get("Webhook-Id")); err != nil {
				t.Error(err)
			}
		})
	}
	f.commit(t, prices(day, 1, nil))
	f.step(t)
	f.step(t)
	f.step(t)
	if d := f.delivery(t, hook); len(f.receiver.take()) != 2 || d.Outcome != store.DeliveryDelivered || d.Attempts != 2 {
		t.Errorf("%+v", d)
	}
}

func TestOldDeliveriesAreDeleted(t *testing.T) {
	t.Parallel()
	f := open(t)
	hook := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	f.step(t)
	f.clock.Advance(30 * 24 * time.Hour)
	must(t, f.Prune(t.Context()))
	f.delivery(t, hook)
	f.clock.Advance(time.Second)
	must(t, f.Prune(t.Context()))
	if all, err := f.store.Deliveries(t.Context(), hook.ID, 0, 1); err != nil || len(all) > 0 {
		t.Errorf("%v, %v", all, err)
	}
}

func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func retryAfter(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", text)
		w.WriteHeader(http.StatusTooManyRequests)
	}
}
