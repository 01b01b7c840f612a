package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"courant/ingest/report"
	"courant/server/api"
	"courant/store"
	"courant/store/market"
)

// post sends JSON-RPC to /mcp as clients of the protocol do.
func (f *fixture) post(t testing.TB, body string, changes ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	return f.send(t, "POST", "/mcp", strings.NewReader(body), append([]func(*http.Request){
		header("Content-Type", "application/json"), header("Accept", "application/json, text/event-stream"),
	}, changes...)...)
}

func callOf(id int, tool, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, id, tool, arguments)
}

// toolAnswer is what a tool answers: an object, or the text of an error.
type toolAnswer struct {
	Result struct {
		IsError           bool
		Content           []struct{ Text string }
		StructuredContent json.RawMessage
	}
}

// call calls a tool and returns its object and, if it is an error, its text.
func (f *fixture) call(t testing.TB, tool, arguments string, changes ...func(*http.Request)) (object, refusal string) {
	t.Helper()
	w := f.post(t, callOf(1, tool, arguments), changes...)
	var answer toolAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 || len(answer.Result.Content) != 1 {
		t.Fatalf("%s %s answers %d %v: %s", tool, arguments, w.Code, err, w.Body)
	}
	text := answer.Result.Content[0].Text
	if answer.Result.IsError {
		return "", text
	}
	if object = string(answer.Result.StructuredContent); object != text {
		t.Errorf("%s: the text is %.200s, the structured content %.200s", tool, text, object)
	}
	return object, ""
}

func TestClientsOfTheModelContextProtocolFindFourToolsWhoseAnswersMatchTheirSchemas(t *testing.T) {
	t.Parallel()
	f, _ := withMarket(t, reporting(inState("ok")))
	token := f.token(t, f.account(t, "claire@example.org", store.Administrator), nil)
	live := httptest.NewServer(f)
	defer live.Close()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: live.URL + "/mcp", HTTPClient: &http.Client{Transport: tokenTransport(token)}, DisableStandaloneSSE: true,
	}, nil)
	must(t, err)
	defer session.Close()
	if text := session.InitializeResult().Instructions; !strings.Contains(text, "null, never 0") || !strings.Contains(text, "Europe/Paris") || !strings.Contains(text, "EUR/MWh") {
		t.Errorf("the instructions are %q", text)
	}
	listed, err := session.ListTools(t.Context(), nil)
	must(t, err)
	var names []string
	for _, tool := range listed.Tools {
		names = append(names, tool.Name)
		if tool.Annotations == nil || !tool.Annotations.ReadOnlyHint {
			t.Errorf("%s does not say that it only reads", tool.Name)
		}
		var output openapi3.Schema
		text, err := json.Marshal(tool.OutputSchema)
		must(t, err)
		must(t, json.Unmarshal(text, &output))
		for _, dataset := range market.Datasets() {
			arguments := map[string]any{}
			switch tool.Name {
			case "read_rows":
				arguments = map[string]any{"dataset": dataset, "limit": 50, "tz": "Europe/Paris"}
			case "summarise":
				arguments = map[string]any{"dataset": dataset, "resolution": "P1D"}
			}
			answer, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool.Name, Arguments: arguments})
			must(t, err)
			if answer.IsError {
				t.Errorf("%s of %s is refused: %v", tool.Name, dataset, answer.Content[0].(*mcp.TextContent).Text)
			} else if err := output.VisitJSON(answer.StructuredContent); err != nil {
				t.Errorf("%s of %s does not match its schema: %v", tool.Name, dataset, err)
			}
		}
	}
	if slices.Sort(names); fmt.Sprint(names) != "[feed_status list_datasets read_rows summarise]" {
		t.Errorf("the tools are %v", names)
	}
}

// tokenTransport sends a token with each request.
type tokenTransport string

func (token tokenTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(token))
	return http.DefaultTransport.RoundTrip(r)
}

// rowsOf are the rows of an answer in JSON.
func rowsOf(t testing.TB, answer string) (rows []json.RawMessage, next string) {
	t.Helper()
	var read struct {
		Rows []json.RawMessage
		Next *string
	}
	must(t, json.Unmarshal([]byte(answer), &read))
	if read.Next != nil {
		next = *read.Next
	}
	return read.Rows, next
}

func TestToolsGiveTheRowsOfTheDataEndpoints(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, turnBack)
	for _, test := range []struct{ dataset, tool, arguments, query string }{
		{"mfrr-energy", "read_rows", `"date":"2026-10-25","direction":["UPWARD"],"columns":["clearing_price_eur_mwh"],"limit":30`,
			"date=2026-10-25&direction=UPWARD&columns=clearing_price_eur_mwh"},
		{"day-ahead-prices", "read_rows", `"from":1792879200,"to":null,"limit":7,"order":"desc"`, "from=1792879200&order=desc"},
		{"day-ahead-prices", "summarise", `"date":"2026-10-25","resolution":"PT1H","limit":10`, "date=2026-10-25&resolution=PT1H&stat=mean,min,max,count"},
		{"day-ahead-prices", "summarise", `"date":"2026-10-25","resolution":"P1D","stat":"sum,share","tz":"Europe/Paris"`,
			"date=2026-10-25&resolution=P1D&stat=sum,share&tz=Europe/Paris"},
	} {
		whole, _ := rowsOf(t, f.rows(t, rowsPath(market.Dataset(test.dataset), test.query), admin).Body.String())
		var all []json.RawMessage
		cursor := ""
		for range len(whole) + 1 {
			object, refusal := f.call(t, test.tool, `{"dataset":"`+test.dataset+`",`+test.arguments+cursor+`}`, admin)
			if refusal != "" {
				t.Fatalf("%s %s: %s", test.tool, test.arguments, refusal)
			}
			page, next := rowsOf(t, object)
			all = append(all, page...)
			if next == "" {
				break
			}
			cursor = `,"cursor":"` + next + `"`
		}
		if fmt.Sprintf("%s", all) != fmt.Sprintf("%s", whole) || len(whole) == 0 {
			t.Errorf("%s %s has %d rows, the endpoint %d: %.300s", test.tool, test.arguments, len(all), len(whole), all)
		}
		if test.dataset == "mfrr-energy" && !strings.Contains(fmt.Sprintf("%s", all), "null") {
			t.Error("no row has a null")
		}
	}
	object, _ := f.call(t, "read_rows", `{"dataset":"afrr-energy"}`, admin)
	if page, next := rowsOf(t, object); len(page) != 500 || next == "" {
		t.Errorf("without a limit an answer has %d rows, next %q", len(page), next)
	}
}

func TestToolsRefuseWhatTheyCannotAnswerInWordsThatTheModelSees(t *testing.T) {
	t.Parallel()
	f, admin := withRows(t, turnBack)
	for _, test := range []struct{ tool, arguments, want string }{
		{"read_rows", `{}`, "invalid_parameter: “dataset” is missing"},
		{"read_rows", `{"dataset":"wind"}`, "invalid_parameter: “dataset” does not accept “wind”; it accepts: day-ahead-prices"},
		{"read_rows", `{"dataset":["day-ahead-prices","afrr-energy"]}`, "invalid_parameter: “dataset” is no list"},
		{"read_rows", `{"dataset":"day-ahead-prices","limit":5001}`, "invalid_parameter: “limit” accepts at most 5000"},
		{"read_rows", `{"dataset":"day-ahead-prices","resolution":"P1D"}`, "invalid_parameter: “resolution” is not an argument of read_rows"},
		{"read_rows", `{"dataset":"day-ahead-prices","date":true}`, "invalid_parameter: “date” accepts: "},
		{"read_rows", `{"dataset":"day-ahead-prices","date":"2026-02-30"}`, "invalid_parameter: “date” does not accept “2026-02-30”"},
		{"read_rows", `{"dataset":"day-ahead-prices","cursor":"x","limit":3}`, "invalid_parameter: “cursor” does not come from"},
		{"read_rows", `[]`, "invalid_parameter: The arguments must be an object."},
		{"summarise", `{"dataset":"day-ahead-prices"}`, "invalid_parameter: “resolution” is missing"},
		{"summarise", `{"dataset":"day-ahead-prices","resolution":"PT5M"}`, "invalid_parameter: “resolution” does not accept “PT5M”"},
		{"list_datasets", `{"dataset":"day-ahead-prices"}`, "invalid_parameter: “dataset” is not an argument of list_datasets"},
	} {
		if _, refusal := f.call(t, test.tool, test.arguments, admin); !strings.HasPrefix(refusal, test.want) {
			t.Errorf("%s %s answers %q, want %q", test.tool, test.arguments, refusal, test.want)
		}
	}
	if w := f.post(t, callOf(1, "write_rows", `{}`), admin); !strings.Contains(w.Body.String(), `"error"`) {
		t.Errorf("an unknown tool answers %s", w.Body)
	}
}

func TestToolsReadWhatTheTokenMayRead(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, marketOn(turnBack))
	f.refresh(t)
	for _, c := range callers(t, f) {
		withCookieAlone := httptest.NewRequestWithContext(t.Context(), "POST", "/mcp", nil)
		for _, change := range c.dress {
			change(withCookieAlone)
		}
		isToken := withCookieAlone.Header.Get("Authorization") != ""
		w := f.post(t, callOf(1, "feed_status", `{}`), c.dress...)
		want := 200
		switch {
		case !isToken:
			want = 401
		case slices.Contains([]string{"unauthenticated", "token_invalid", "token_expired", "token_revoked"}, c.prices):
			want = 401
		}
		if w.Code != want || want == 401 && w.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: the status is %d, want %d", c.name, w.Code, want)
		}
		if w.Code != 200 {
			continue
		}
		for dataset, code := range map[string]string{"day-ahead-prices": c.prices, "afrr-energy": c.afrr, "mfrr-energy": c.rest} {
			if _, refusal := f.call(t, "read_rows", `{"dataset":"`+dataset+`","limit":1}`, c.dress...); !strings.HasPrefix(refusal, code) || (code == "") != (refusal == "") {
				t.Errorf("%s: %s answers %q, want %q", c.name, dataset, refusal, code)
			}
		}
	}
	feeds := f.token(t, f.account(t, "ines@example.org", store.Administrator), func(token *store.Token) { token.Scope = store.ScopeFeeds })
	if w := f.post(t, callOf(1, "feed_status", `{}`), bearer(feeds)); w.Code != 403 {
		t.Errorf("a feeds token answers %d", w.Code)
	}
	for method, want := range map[string]int{"GET": 405, "DELETE": 405, "PUT": 405} {
		if w := f.ask(t, method, "/mcp", bearer(feeds)); w.Code != want {
			t.Errorf("%s answers %d", method, w.Code)
		}
	}
}

func TestPagesOfOtherSitesDoNotReachTheTools(t *testing.T) {
	t.Parallel()
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	local := func(address string) func(*http.Request) {
		return func(r *http.Request) {
			parsed, err := net.ResolveTCPAddr("tcp", address)
			must(t, err)
			*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(parsed)))
		}
	}
	for _, public := range []string{"", "https://courant.example"} {
		f := open(t, func(o *api.Options) { o.PublicURL = public })
		token := bearer(f.token(t, f.account(t, "boris@example.org", store.Administrator), nil))
		for _, test := range []struct {
			name    string
			open    int // status without a public address
			public  int // status with one
			changes []func(*http.Request)
		}{
			{"the loopback by its address", 200, 200, []func(*http.Request){host("127.0.0.1:8080"), local("127.0.0.1:8080")}},
			{"the loopback by its name", 200, 200, []func(*http.Request){host("localhost:8080"), local("[::1]:8080")}},
			{"the public name, through a proxy on this machine", 403, 200, []func(*http.Request){host("courant.example"), local("127.0.0.1:8080")}},
			{"the public name and port", 200, 200, []func(*http.Request){host("Courant.Example:443"), local("192.0.2.1:8080")}},
			{"another name on the loopback", 403, 403, []func(*http.Request){host("rebound.example:8080"), local("127.0.0.1:8080")}},
			{"another name on the network", 200, 403, []func(*http.Request){host("nas.example:8080"), local("192.0.2.1:8080")}},
			{"an address on the network", 200, 200, []func(*http.Request){host("192.0.2.1:8080"), local("192.0.2.1:8080")}},
			{"the origin of the public address, Host changed by a proxy", 403, 200,
				[]func(*http.Request){host("127.0.0.1:8080"), local("127.0.0.1:8080"), header("Origin", "https://courant.example")}},
			{"the origin of another site", 403, 403, []func(*http.Request){host("127.0.0.1:8080"), header("Origin", "https://other.example")}},
			{"the origin of another site that a browser calls same-origin", 403, 403,
				[]func(*http.Request){host("127.0.0.1:8080"), header("Origin", "https://other.example"), header("Sec-Fetch-Site", "same-origin")}},
			{"an opaque origin", 403, 403, []func(*http.Request){host("127.0.0.1:8080"), header("Origin", "null")}},
			{"the own origin", 200, 200, []func(*http.Request){host("127.0.0.1:8080"), header("Origin", "http://127.0.0.1:8080")}},
		} {
			want := test.open
			if public != "" {
				want = test.public
			}
			w := f.post(t, `{"jsonrpc":"2.0","id":1,"method":"ping"}`, append(test.changes, token)...)
			if w.Code != want || want == 403 && !strings.Contains(w.Body.String(), `"code":"forbidden"`) {
				t.Errorf("public address %q, %s: %d, want %d: %s", public, test.name, w.Code, want, w.Body)
			}
		}
	}
}

func TestEachCallOfABatchCountsAgainstTheRateLimit(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *api.Options) { o.RateLimitPerMinute = 3 }, reporting(inState("ok")))
	token := bearer(f.token(t, f.account(t, "boris@example.org", store.Administrator), nil))
	var batch []string
	for id := range 5 {
		batch = append(batch, callOf(id, "feed_status", `{}`))
	}
	w := f.post(t, "["+strings.Join(batch, ",")+"]", token)
	if n := strings.Count(w.Body.String(), "rate_limited: "); w.Code != 200 || n != 2 {
		t.Errorf("%d, and %d of 5 calls are refused, want 2: %.500s", w.Code, n, w.Body)
	}
	if w := f.post(t, batch[0], token); w.Code != 429 {
		t.Errorf("the next request answers %d", w.Code)
	}
}

func TestAToolEndsWhenItsClientGoesAway(t *testing.T) {
	t.Parallel()
	ctx, goAway := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	f := open(t, reporting(func(ctx context.Context) (report.Report, error) {
		goAway()
		<-ctx.Done()
		ended <- ctx.Err()
		return report.Report{}, ctx.Err()
	}))
	token := bearer(f.token(t, f.account(t, "boris@example.org", store.Administrator), nil))
	f.post(t, callOf(1, "feed_status", `{}`), token, func(r *http.Request) { *r = *r.WithContext(ctx) })
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the tool ends with %v", err)
	}
	f.Settle()
	if strings.Contains(f.log.String(), "tool failed") {
		t.Errorf("the log has %s", f.log)
	}
}

func TestAToolThatFailsIsLoggedAndTellsNothing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*api.Options){
		"error": reporting(func(context.Context) (report.Report, error) { return report.Report{}, errors.New("secret") }),
		"panic": reporting(func(context.Context) (report.Report, error) { panic("secret") }),
	} {
		f := open(t, change)
		token := bearer(f.token(t, f.account(t, "boris@example.org", store.Administrator), nil))
		_, refusal := f.call(t, "feed_status", `{}`, token)
		if !strings.HasPrefix(refusal, "internal: ") || strings.Contains(refusal, "secret") || !strings.Contains(f.log.String(), "secret") {
			t.Errorf("%s: the tool answers %q, and the log has %s", name, refusal, f.log)
		}
	}
}
