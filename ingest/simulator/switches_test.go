package simulator

import (
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"courant/store/storetest/await"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failing is both sources over HTTP, with switches.
type failing struct {
	t        *testing.T
	switches *Switches
	servers  *Servers
	client   *http.Client
	token    string
	ctx      context.Context // of what is asked
	called   chan struct{}   // is told of the first call after the login

	mu  sync.Mutex
	now time.Time
}

func newFailing(t *testing.T) *failing {
	t.Helper()
	f := &failing{t: t, switches: new(Switches), ctx: t.Context(), now: longAfter}
	servers, err := Start(Options{Now: f.clock, Switches: f.switches})
	if err != nil {
		t.Fatal(err)
	}
	f.servers = servers
	transport := &http.Transport{}
	f.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := servers.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	f.login()
	f.mu.Lock()
	f.called = make(chan struct{}, 1)
	f.mu.Unlock()
	return f
}

// clock is looked at when a call arrives.
func (f *failing) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case f.called <- struct{}{}:
	default:
	}
	return f.now
}

func (f *failing) setClock(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = now
}

func (f *failing) login() {
	f.t.Helper()
	var answer struct {
		Token string `json:"access_token"`
	}
	if _, body, err := f.ask(Token); err != nil || json.Unmarshal([]byte(body), &answer) != nil || answer.Token == "" {
		f.t.Fatalf("token: %s, error %v", body, err)
	}
	f.token = answer.Token
}

func (f *failing) switchTo(w Switch) {
	f.t.Helper()
	if err := f.switches.Set(w); err != nil {
		f.t.Fatal(err)
	}
}

// ask asks for the ordinary day of a resource, and reads the whole answer.
func (f *failing) ask(resource string) (*http.Response, string, error) {
	return f.askFor(resource, whole(ordinaryDay))
}

func (f *failing) askFor(resource string, asked window) (*http.Response, string, error) {
	f.t.Helper()
	response, err := f.begin(resource, asked)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

// begin asks and leaves the body to be read.
func (f *failing) begin(resource string, asked window) (*http.Response, error) {
	f.t.Helper()
	method, address := http.MethodGet, f.servers.RTEURL+map[string]string{
		Token: "/token/oauth/", ProcuredReserves: capacityPath, MarginalPrice: afrrPath, StandardMFRR: mfrrPath, ImbalanceData: imbalancePath, PowerExchanges: exchangesPath,
	}[resource]+"?"+askFor(asked).Encode()
	switch resource {
	case Token:
		method = http.MethodPost
	case A44:
		address = f.servers.ENTSOEURL + "?" + askPrices(asked).Encode()
	}
	request, err := http.NewRequestWithContext(f.ctx, method, address, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	request.SetBasicAuth(ClientID, ClientSecret)
	if resource != Token {
		request.Header.Set("Authorization", "Bearer "+f.token)
	}
	return f.client.Do(request)
}

// seen is what a client sees of an answer.
type seen struct {
	response *http.Response
	body     string
	err      error
}

func TestEveryFaultIsSeenByAClient(t *testing.T) {
	t.Parallel()
	good := func(t *testing.T, s seen) bool {
		return s.err == nil && s.response.StatusCode == 200 && (strings.HasPrefix(s.body, "{") || strings.HasPrefix(s.body, "<?xml"))
	}
	fails := func(with ...error) func(*testing.T, seen) bool {
		return func(_ *testing.T, s seen) bool {
			for _, err := range with {
				if errors.Is(s.err, err) {
					return true
				}
			}
			return false
		}
	}
	text := func(status int, in string) func(*testing.T, seen) bool {
		return func(_ *testing.T, s seen) bool {
			return s.err == nil && s.response.StatusCode == status && strings.Contains(s.body, in)
		}
	}
	header := func(status int, name, value string) func(*testing.T, seen) bool {
		return func(_ *testing.T, s seen) bool {
			return s.err == nil && s.response.StatusCode == status && s.response.Header.Get(name) == value
		}
	}
	saw := map[string]func(*testing.T, seen) bool{
		Well:                good,
		ConnectionRefused:   fails(syscall.ECONNREFUSED),
		"connection-reset":  fails(syscall.ECONNRESET),
		"connection-closed": fails(io.EOF),
		"reset-in-body":     fails(syscall.ECONNRESET),
		"truncated-body":    fails(io.ErrUnexpectedEOF),
		"early-end": func(_ *testing.T, s seen) bool {
			return good(t, s) && !strings.HasSuffix(strings.TrimSpace(s.body), "ocument>") && !json.Valid([]byte(s.body))
		},
		"html-page":   text(200, "<html>"),
		"plain-text":  text(200, "try again later"),
		"empty-reply": func(_ *testing.T, s seen) bool { return s.err == nil && s.response.StatusCode == 200 && s.body == "" },
		"another-document": func(_ *testing.T, s seen) bool {
			return text(200, "standard_rr_data")(t, s) || text(200, "Balancing_MarketDocument")(t, s)
		},
		"redirect": header(302, "Location", "http://elsewhere.invalid/"),
		"gzip-lie": func(_ *testing.T, s seen) bool {
			return s.err != nil && strings.Contains(s.err.Error(), "gzip: invalid header")
		},
		"status-204": func(_ *testing.T, s seen) bool { return s.err == nil && s.response.StatusCode == 204 && s.body == "" },
		"status-400": func(_ *testing.T, s seen) bool {
			return text(400, `"error":`)(t, s) || text(400, "<text>Delivered")(t, s)
		},
		"status-401": func(_ *testing.T, s seen) bool {
			return text(401, "invalid_token")(t, s) || text(401, "Unauthorized")(t, s)
		},
		"status-403":                  text(403, ""),
		"status-404":                  text(404, ""),
		"status-408":                  text(408, ""),
		"status-413":                  text(413, ""),
		"status-414":                  text(414, ""),
		"status-429":                  header(429, "Retry-After", ""),
		"status-429-retry-after":      header(429, "Retry-After", "30"),
		"status-429-retry-after-date": header(429, "Retry-After", longAfter.Add(time.Minute).Format(http.TimeFormat)),
		"status-500":                  text(500, "error"),
		"status-503":                  text(503, "maintenance"),
		"status-503-retry-after":      header(503, "Retry-After", "90"),
		"status-503-retry-after-day":  header(503, "Retry-After", "86400"),
		"status-509":                  text(509, ""),
		"no-data":                     text(200, "No matching data"),
		"status-400-no-data":          text(400, "No matching data"),
		"status-400-too-wide":         text(400, "exceeds"),
		Ban:                           text(429, "up to 400 only"),
		TokenExpired:                  text(401, "invalid_token"),
		missingDate:                   func(_ *testing.T, s seen) bool { return good(t, s) && !strings.Contains(s.body, "price") },
	}
	elsewhere := map[string]bool{ // what has a test of its own
		"hang-before-headers": true, "hang-in-body": true, "gigabyte": true,
		windowCutShort: true, flatPrices: true, outOfBounds: true, Corrected: true,
	}
	for _, fault := range Faults() {
		if elsewhere[fault.Name] {
			continue
		}
		t.Run(fault.Name, func(t *testing.T) {
			for _, r := range resources {
				if !fault.mayBeAt(r) || r.name == Token && fault.Name == TokenExpired {
					continue
				}
				f := newFailing(t)
				w := Switch{Resource: r.name, Fault: fault.Name}
				if fault.Name == ConnectionRefused {
					w.Resource = r.source
				}
				if fault.dated {
					w.Date = ordinaryDay
					if r.name == PowerExchanges {
						w.Date = DayOf(longAfter)
					}
				}
				f.switchTo(w)
				f.client.CloseIdleConnections() // a POST finds out by its first failure that one is gone
				response, body, err := f.ask(r.name)
				if check := saw[fault.Name]; check == nil || !check(t, seen{response, body, err}) {
					t.Errorf("%s: %v %.300q, error %v", r.name, response, body, err)
				}
			}
		})
	}
}

func TestHangEndsWhenTheClientGoesAwayOrTheServerIsClosed(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"hang-before-headers", "hang-in-body"} {
		for _, leaves := range []string{"client", "server"} {
			t.Run(fault+"/"+leaves, func(t *testing.T) {
				f := newFailing(t)
				f.switchTo(Switch{Resource: StandardMFRR, Fault: fault})
				ctx, leave := context.WithCancel(t.Context())
				f.ctx = ctx
				ended := make(chan error, 1)
				go func() {
					_, _, err := f.ask(StandardMFRR)
					ended <- err
				}()
				await.Value(t, f.called)
				if leaves == "client" {
					leave()
				} else if err := f.servers.Close(); err != nil {
					t.Error(err)
				}
				if err := await.Value(t, ended); err == nil {
					t.Error("an answer came")
				}
				leave() // goleak finds what is left
			})
		}
	}
}

func TestGigabyteIsMadeOnlyAsItIsRead(t *testing.T) {
	t.Parallel()
	for _, resource := range []string{StandardMFRR, A44} {
		f := newFailing(t)
		f.switchTo(Switch{Resource: resource, Fault: "gigabyte"})
		response, err := f.begin(resource, whole(ordinaryDay))
		if err != nil {
			t.Fatal(err)
		}
		const some = 3 << 20
		head := make([]byte, some)
		if _, err := io.ReadFull(response.Body, head); err != nil || !strings.HasPrefix(string(head), resourceNamed(resource).opening+" ") {
			t.Errorf("%s: %.80q, error %v", resource, head, err)
		}
		response.Body.Close()
	}
}

func TestFaultIsForSoManyAnswersOfItsResourceOnly(t *testing.T) {
	t.Parallel()
	f := newFailing(t)
	f.switchTo(Switch{Resource: StandardMFRR, Fault: "status-503", Times: 2})
	for i, want := range []int{503, 503, 200, 200} {
		for resource, status := range map[string]int{StandardMFRR: want, ProcuredReserves: 200, A44: 200} {
			if response, _, err := f.ask(resource); err != nil || response.StatusCode != status {
				t.Errorf("answer %d of %s: %v, error %v, want %d", i+1, resource, response, err, status)
			}
		}
	}
}

func TestFaultOfASourceIsOneOfAllItsResources(t *testing.T) {
	t.Parallel()
	f := newFailing(t)
	expect := func(status map[string]int) {
		t.Helper()
		for _, r := range resources {
			want := cmp.Or(status[r.name], status[r.source])
			if response, _, err := f.ask(r.name); err != nil || response.StatusCode != want {
				t.Errorf("%s: %v, error %v, want %d", r.name, response, err, want)
			}
		}
	}
	f.switchTo(Switch{Resource: AllOfRTE, Fault: "status-503"})
	expect(map[string]int{AllOfRTE: 503, AllOfENTSOE: 200})
	f.switchTo(Switch{Resource: MarginalPrice, Fault: "status-404"})
	expect(map[string]int{AllOfRTE: 503, MarginalPrice: 404, AllOfENTSOE: 200})
	f.switchTo(Switch{Resource: MarginalPrice, Fault: Well})
	expect(map[string]int{AllOfRTE: 503, MarginalPrice: 200, AllOfENTSOE: 200})
	f.switchTo(Switch{Resource: All, Fault: "status-500"})
	expect(map[string]int{AllOfRTE: 500, AllOfENTSOE: 500})
	f.switchTo(Switch{Resource: All, Fault: Well})
	expect(map[string]int{AllOfRTE: 200, AllOfENTSOE: 200})
}

func TestRefusedConnectionIsAcceptedAgainAtTheSamePort(t *testing.T) {
	t.Parallel()
	for _, mend := range []Switch{{Resource: AllOfRTE, Fault: Well}, {Resource: MarginalPrice, Fault: "status-503"}} {
		f := newFailing(t) // the client still holds the connection of its login
		for range 2 {
			f.switchTo(Switch{Resource: AllOfRTE, Fault: ConnectionRefused})
			if _, _, err := f.ask(StandardMFRR); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("refused: error %v", err)
			}
			if response, _, err := f.ask(A44); err != nil || response.StatusCode != 200 {
				t.Errorf("the other source: %v, error %v", response, err)
			}
			f.switchTo(mend)
			if response, _, err := f.ask(StandardMFRR); err != nil || response.StatusCode != 200 {
				t.Errorf("after %v: %v, error %v", mend, response, err)
			}
		}
	}
}

func TestSwitchesMayBeSetBeforeTheServersStart(t *testing.T) {
	t.Parallel()
	switches := new(Switches)
	if err := switches.Set(Switch{Resource: AllOfENTSOE, Fault: ConnectionRefused}); err != nil {
		t.Fatal(err)
	}
	servers, err := Start(Options{Switches: switches})
	if err != nil {
		t.Fatal(err)
	}
	defer servers.Close()
	if _, err := http.Get(servers.ENTSOEURL); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v", err)
	}
}

func TestBanLastsTenMinutesWhateverIsSetMeanwhile(t *testing.T) {
	t.Parallel()
	f := newFailing(t)
	f.switchTo(Switch{Resource: A44, Fault: Ban})
	f.switchTo(Switch{Resource: A44, Fault: Well})
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 429}, {10*time.Minute - time.Second, 429}, {time.Second, 200}, {time.Hour, 200}} {
		f.setClock(f.clock().Add(step.after))
		if response, _, err := f.ask(A44); err != nil || response.StatusCode != step.want {
			t.Errorf("%v later: %v, error %v, want %d", step.after, response, err, step.want)
		}
	}
}

func TestTokensExpireAtOnceAndTheNextIsGood(t *testing.T) {
	t.Parallel()
	f := newFailing(t)
	f.switchTo(Switch{Resource: Token, Fault: TokenExpired})
	for _, want := range []int{401, 401} {
		if response, _, err := f.ask(StandardMFRR); err != nil || response.StatusCode != want {
			t.Errorf("%v, error %v, want %d", response, err, want)
		}
	}
	f.login()
	if response, _, err := f.ask(StandardMFRR); err != nil || response.StatusCode != 200 {
		t.Errorf("a new token: %v, error %v", response, err)
	}
}

func TestWideWindowIsCutShort(t *testing.T) {
	t.Parallel()
	f := newFailing(t)
	f.switchTo(Switch{Resource: All, Fault: windowCutShort})
	first := Day{2026, time.June, 1}
	for resource, dateOf := range map[string]func(Day) string{
		ProcuredReserves: func(d Day) string { return `{"start_date":` + quoted(d.Start(), time.UTC) },
		StandardMFRR:     func(d Day) string { return `{"start_date":` + quoted(d.Start(), paris) },
		ImbalanceData:    func(d Day) string { return `"end_date":` + quoted(d.End(), paris) + `,"imbalance"` },
		A44:              func(d Day) string { return "<timeInterval><start>" + d.Start().Format("2006-01-02T15:04Z") },
	} {
		_, body, err := f.askFor(resource, window{first.Start(), first.Add(7).Start()})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for n := range 7 {
			if strings.Contains(body, dateOf(first.Add(n))) {
				got = append(got, first.Add(n).String())
			}
		}
		if want := []string{"2026-06-01", "2026-06-02", "2026-06-03"}; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", resource, got, want)
		}
	}
}

func quoted(t time.Time, in *time.Location) string { return string(appendTime(nil, t.In(in))) }

// published is the values of a delivery date, by resource, as the servers say
// them.
func (f *failing) published(d Day) map[string]any {
	f.t.Helper()
	all := make(map[string]any)
	for _, r := range resources[1:] {
		_, body, err := f.askFor(r.name, whole(d))
		if err != nil {
			f.t.Fatal(err)
		}
		if r.name != A44 {
			all[r.name] = body
			continue
		}
		var document publicationWire
		if err := xml.Unmarshal([]byte(body), &document); err != nil {
			f.t.Fatal(err)
		}
		var prices []Price
		for _, s := range document.Series {
			if p := s.prices(f.t); s.french() && len(p) > len(prices) {
				prices = p
			}
		}
		all[A44] = prices
	}
	return all
}

// shownBy is what the servers are to say of a delivery date when they show m.
func shownBy(m market, d Day) map[string]any {
	return map[string]any{
		ProcuredReserves: string(procuredReserves(whole(d), m)),
		MarginalPrice:    string(afrrMarginalPrice(whole(d), m)),
		StandardMFRR:     string(standardMFRRData(whole(d), m)),
		ImbalanceData:    string(imbalanceData(whole(d), m)),
		PowerExchanges:   string(francePowerExchanges(m)),
		A44:              m.prices(d),
	}
}

func TestCorrectionsStayWhateverIsSetLater(t *testing.T) {
	t.Parallel()
	f := newFailing(t)
	d := ordinaryDay
	now := d.Add(-1).at(20, 0) // both sources have it newest
	f.setClock(now)
	before := f.published(d)
	f.switchTo(Switch{Resource: All, Fault: Corrected, Date: d})
	f.switchTo(Switch{Resource: All, Fault: "status-503"})
	f.switchTo(Switch{Resource: All, Fault: Well})
	after := f.published(d)
	if diff := reflect.DeepEqual(after, shownBy(market{now: now, corrected: []Day{d}}, d)); !diff {
		t.Error("not the corrected values")
	}
	var prices []Price
	for _, p := range Prices(d) {
		prices = append(prices, p.Corrected())
	}
	if !reflect.DeepEqual(after[A44], prices) || reflect.DeepEqual(before[A44], prices) {
		t.Error("the prices are not Corrected of what they were")
	}
	if other := f.published(d.Add(-1)); !reflect.DeepEqual(other[A44], Prices(d.Add(-1))) {
		t.Error("another delivery date has changed")
	}
}

func TestFaultOfValuesIsAboutTheNewestDeliveryDateByDefault(t *testing.T) {
	today := ordinaryDay
	now := today.at(20, 0)
	for _, tt := range []struct {
		fault  string
		prices func(Day) func([]Price) bool
	}{
		{flatPrices, func(Day) func([]Price) bool {
			return func(prices []Price) bool {
				return !slices.ContainsFunc(prices, func(p Price) bool { return p.EURPerMWh != 0 })
			}
		}},
		{outOfBounds, func(d Day) func([]Price) bool {
			return func(prices []Price) bool {
				return prices[0].EURPerMWh == outOfBoundsValue && slices.Equal(prices[1:], Prices(d)[1:])
			}
		}},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			f := newFailing(t)
			f.setClock(now)
			f.switchTo(Switch{Resource: All, Fault: tt.fault})
			tomorrow := today.Add(1)
			if got := f.published(tomorrow); !tt.prices(tomorrow)(got[A44].([]Price)) ||
				!reflect.DeepEqual(got[PowerExchanges], shownBy(market{now: now, fault: tt.fault, date: tomorrow}, tomorrow)[PowerExchanges]) {
				t.Errorf("tomorrow: %v", got[A44])
			}
			if got := f.published(today); !reflect.DeepEqual(got[A44], Prices(today)) {
				t.Error("today has changed")
			}
		})
	}
	for _, resource := range []string{MarginalPrice, StandardMFRR, ImbalanceData} {
		f := newFailing(t)
		f.setClock(now)
		f.switchTo(Switch{Resource: resource, Fault: outOfBounds})
		if _, body, err := f.ask(resource); err != nil || strings.Count(body, "999999") != 1 {
			t.Errorf("%s of today: error %v, %.200s", resource, err, body)
		}
	}
	f := newFailing(t)
	f.switchTo(Switch{Resource: ImbalanceData, Fault: flatPrices, Date: today})
	if _, body, err := f.ask(ImbalanceData); err != nil || strings.Count(body, `_price":0,`) != 2*96 || strings.Count(body, "_price") != 2*96 {
		t.Errorf("flat imbalance prices: error %v, %.400s", err, body)
	}
	f = newFailing(t)
	f.switchTo(Switch{Resource: ProcuredReserves, Fault: outOfBounds, Date: today})
	if _, body, err := f.ask(ProcuredReserves); err != nil || strings.Count(body, "999999") != 1 {
		t.Errorf("capacity: error %v", err)
	}
}

func TestSwitchIsRefusedWithWhatWouldBeRight(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		w    Switch
		says string
	}{
		{Switch{}, `resource "" is not known: it is one of all, rte, entsoe, token, result_procured_reserves, afrr_marginal_price, standard_mfrr_data, imbalance_data, france_power_exchanges, A44`},
		{Switch{Resource: "a44", Fault: Well}, `resource "a44" is not known`},
		{Switch{Resource: A44, Fault: "503"}, `fault "503" is not one of A44: those are well, connection-refused, `},
		{Switch{Resource: StandardMFRR, Fault: flatPrices}, `fault "flat-prices" is not one of standard_mfrr_data: those are well, `},
		{Switch{Resource: StandardMFRR, Fault: ConnectionRefused}, `fault "connection-refused" is one of a whole source: resource is rte or entsoe`},
		{Switch{Resource: A44, Fault: "status-503", Times: -1}, `times -1: it is at least 1, or 0 for no end`},
		{Switch{Resource: A44, Fault: Ban, Times: 1}, `times 1: fault "ban" is no matter of how many answers`},
		{Switch{Resource: A44, Fault: "status-503", Date: ordinaryDay}, `date 2026-06-03: fault "status-503" is about no delivery date`},
		{Switch{Resource: A44, Fault: Corrected}, `fault "corrections" needs a date: a delivery date, YYYY-MM-DD`},
	} {
		if err := new(Switches).Set(tt.w); err == nil || !strings.HasPrefix(err.Error(), tt.says) {
			t.Errorf("%+v: error %v, want %s", tt.w, err, tt.says)
		}
	}
}

func TestFaultsHaveNamesThatNeverChangeAndOneLineEach(t *testing.T) {
	t.Parallel()
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	names := make(map[string]bool)
	for _, f := range Faults() {
		if !kebab.MatchString(f.Name) || names[f.Name] || f.Says == "" || strings.Contains(f.Says, "\n") {
			t.Errorf("%q: %q", f.Name, f.Says)
		}
		names[f.Name] = true
	}
}

func TestSwitchesPageSetsAndShowsFaults(t *testing.T) {
	t.Parallel()
	f := newFailing(t)
	post := func(form string) (int, string) {
		t.Helper()
		response, err := f.client.Post(f.servers.ENTSOESwitchesURL, "application/x-www-form-urlencoded", strings.NewReader(form))
		return textOf(t, response, err)
	}
	for _, tt := range []struct {
		form   string
		status int
		says   string
	}{
		{"resource=A44&fault=status-503", 200, "A44                       status-503, answers so far: 0\n"},
		{"resource=standard_mfrr_data&fault=status-404&times=3", 200, "standard_mfrr_data        status-404, answers left: 3, answers so far: 0\n"},
		{"resource=rte&fault=missing-date&date=2026-06-03", 200, "afrr_marginal_price       missing-date of 2026-06-03, answers so far: 0\n"},
		{"resource=A44&fault=ban", 200, "status-503, answers so far: 0; ban\n"},
		{"resource=A44&fault=corrections&date=2026-06-03", 200, "; corrections of 2026-06-03\n"},
		{"resource=all&fault=well", 200, "standard_mfrr_data        well\n"},
		{"resource=nothing&fault=well", 400, `resource "nothing" is not known: it is one of all, `},
		{"resource=A44&fault=nothing", 400, `fault "nothing" is not one of A44: those are well, `},
		{"resource=A44&fault=status-503&times=0", 400, `times "0": it is a number from 1 on`},
		{"resource=A44&fault=missing-date&date=2026-02-30", 400, `date "2026-02-30": it is a delivery date, YYYY-MM-DD`},
		{"resource=A44&fault=well&for=ever", 400, `field "for" is not known: it is one of resource, fault, times, date`},
		{"resource=all&fault=connection-refused", 400, `fault "connection-refused" for both sources would close this page`},
		{"resource=rte&fault=connection-refused", 200, "afrr_marginal_price       connection-refused"},
		{"resource=entsoe&fault=connection-refused", 400, `fault "connection-refused" for both sources would close this page`},
		{strings.Repeat("x", 1<<20), 400, "the form cannot be read: "},
	} {
		if status, body := post(tt.form); status != tt.status || !strings.Contains(body, tt.says) {
			t.Errorf("%.80s: %d %s", tt.form, status, body)
		}
	}
	response, err := f.client.Get(f.servers.ENTSOESwitchesURL)
	status, body := textOf(t, response, err)
	for _, fault := range Faults() {
		if !strings.Contains(body, "  "+fault.Name+" ") || !strings.Contains(body, fault.Says) {
			t.Errorf("%d, without %s: %s", status, fault.Name, body)
		}
	}
}

func textOf(t *testing.T, response *http.Response, err error) (int, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestSwitchesPageIsForThisMachine(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]int{
		"127.0.0.1:8080": 200, "localhost:8080": 200, "localhost": 200, "[::1]:8080": 200, "127.0.0.1": 200,
		"courant.example": 403, "localhost.courant.example:80": 403, "192.0.2.1:80": 403, "": 403,
	} {
		for _, method := range []string{"GET", "POST"} {
			r := httptest.NewRequest(method, "/switches", strings.NewReader(url.Values{"resource": {All}, "fault": {Well}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Host = host
			w := httptest.NewRecorder()
			RTE(Options{}).ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s by %q: %d, want %d", method, host, w.Code, want)
			}
		}
	}
}
