package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"courant/server/api"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// document is the OpenAPI document that the server answers.
func document(t *testing.T, f *fixture, changes ...func(*http.Request)) *openapi3.T {
	t.Helper()
	w := f.ask(t, "GET", "/api/openapi.json", changes...)
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("the document answers %d, %v", w.Code, w.Header())
	}
	doc, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
	must(t, err)
	must(t, doc.Validate(t.Context(), openapi3.AllowExtensionsWithRef()))
	return doc
}

func TestTheDocumentIsOpenAPI31InBothLanguages(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *api.Options) { o.PublicURL, o.Contact = "https://courant.example", "contact@courant.example" })
	titles := map[string]string{}
	for _, language := range []string{"fr", "en"} {
		doc := document(t, f, header("Accept-Language", language))
		if doc.OpenAPI != "3.1.0" || doc.Servers[0].URL != "https://courant.example" || doc.Info.Contact.Name != "contact@courant.example" {
			t.Errorf("%s: version %s, servers %v, contact %v", language, doc.OpenAPI, doc.Servers, doc.Info.Contact)
		}
		for path, item := range doc.Paths.Map() {
			for method, operation := range item.Operations() {
				titles[language+method+path] = operation.Summary
			}
		}
	}
	for key, french := range titles {
		if rest, is := strings.CutPrefix(key, "fr"); is && (french == "" || titles["en"+rest] == "" || french == titles["en"+rest]) {
			t.Errorf("%s is %q in French and %q in English", rest, french, titles["en"+rest])
		}
	}
}

func TestTheDocumentHasEveryRoute(t *testing.T) {
	t.Parallel()
	f := open(t)
	doc := document(t, f)
	served := f.Routes()
	var described, rows []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			if dataset, isRows := strings.CutSuffix(strings.TrimPrefix(path, "/api/datasets/"), "/rows"); isRows {
				rows = append(rows, dataset)
				path = "/api/datasets/{dataset}/rows" // one route answers all of them
			}
			if !slices.Contains(described, method+" "+path) {
				described = append(described, method+" "+path)
			}
		}
	}
	slices.Sort(rows)
	if want := slices.Sorted(slices.Values(market.Datasets())); strings.Join(rows, " ") != fmt.Sprint(want)[1:len(fmt.Sprint(want))-1] {
		t.Errorf("the document has the rows of %v, want %v", rows, want)
	}
	slices.Sort(served)
	slices.Sort(described)
	for _, route := range served {
		if !slices.Contains(described, route) {
			t.Errorf("the document lacks %s: add it to package web's reference", route)
		}
	}
	for _, route := range described {
		if !slices.Contains(served, route) {
			t.Errorf("the document has %s, which nothing answers", route)
		}
	}
}

// fits says how an answer differs from what the document says of its path.
func fits(t *testing.T, doc *openapi3.T, path, target string, status int, header http.Header, body []byte) error {
	t.Helper()
	item := doc.Paths.Find(path)
	if item == nil || item.Get == nil {
		t.Fatalf("the document lacks GET %s", path)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	must(t, err)
	input := &openapi3filter.RequestValidationInput{
		Request: request, QueryParams: url.Values{}, Route: &routers.Route{Spec: doc, Path: path, PathItem: item, Method: http.MethodGet, Operation: item.Get},
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: status, Header: header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
}

func TestAnswersMatchTheDocument(t *testing.T) {
	t.Parallel()
	full, admin := withMarket(t, reporting(inState("ok")))
	revised := marketOn(turnBack)
	for i := range market.AFRR.In(revised) {
		market.AFRR.In(revised)[i].PicassoConnection = market.Flag{V: true, Valid: true}
	}
	full.commit(t, revised)
	changed := marketOn(turnBack)
	for i := range market.AFRR.In(changed) {
		market.AFRR.In(changed)[i].PicassoConnection = market.Flag{V: false, Valid: true}
		market.AFRR.In(changed)[i].UpwardPrice = market.Num(1)
	}
	full.commit(t, changed)
	full.refresh(t)
	empty := open(t, reporting(inState("off")))
	empty.refresh(t)
	doc := document(t, full)
	emptyAdmin := empty.admin(t)
	for _, name := range endpoints {
		path := "/api/" + name
		for what, w := range map[string]struct {
			*fixture
			dress func(*http.Request)
		}{"full": {full, admin}, "empty": {empty, emptyAdmin}, "refused": {full, header("Authorization", "Bearer crt_none")}} {
			answer := w.ask(t, "GET", path, w.dress)
			if err := fits(t, doc, path, path, answer.Code, answer.Header(), answer.Body.Bytes()); err != nil {
				t.Errorf("%s, %s: %v", path, what, err)
			}
		}
	}
	for target, path := range map[string]string{
		"/api/status": "/api/status",
		"/api/revisions/afrr-energy?from=2026-10-25&to=2026-10-25":         "/api/revisions/{dataset}",
		"/api/revisions/afrr-energy?from=2026-10-25&to=2026-10-25&limit=1": "/api/revisions/{dataset}",
		"/api/revisions/day-ahead-prices?from=2026-10-25&to=2026-10-25":    "/api/revisions/{dataset}",
	} {
		answer := full.ask(t, "GET", target, admin)
		if err := fits(t, doc, path, target, answer.Code, answer.Header(), answer.Body.Bytes()); err != nil || answer.Code != 200 {
			t.Errorf("%s, %d: %v", target, answer.Code, err)
		}
	}
	if w := full.ask(t, "GET", "/api/revisions/afrr-energy?from=2026-10-25&to=2026-10-25", admin); !strings.Contains(w.Body.String(), `"old":true,"new":false`) {
		t.Errorf("no flag was revised: %.300s", w.Body)
	}
}

// The rows of every dataset, native and resampled, in either form of JSON and either time zone, are as the document says, and
// so are the other forms and what is refused.
func TestRowsAreAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	f, admin := withMarket(t, reporting(inState("ok")))
	doc := document(t, f)
	for _, dataset := range market.Datasets() {
		path := "/api/datasets/" + string(dataset) + "/rows"
		extra := "columns=updated_at,source,period_start_unix"
		for query, status := range map[string]int{
			"date=2026-10-25": 200, "date=2026-10-25&limit=3&tz=Europe/Paris": 200, "date=2026-10-25&format=columns&" + extra: 200,
			"date=2026-10-25&" + extra: 200, "date=2026-10-25&resolution=PT1H&stat=mean,min,max,sum,count,share": 200,
			"date=2026-10-25&resolution=P1D&tz=Europe/Paris&format=columns": 200, "from=2026-10-25&as_of=now": 200, "date=2001-01-01": 200,
			"date=2026-10-25&limit=1&format=ndjson": 200, "date=2026-10-25&limit=1&format=csv": 200,
			"date=2026-10-25&limit=1&format=xlsx": 200, "date=2026-10-25&limit=1&format=parquet": 200, "limit=0": 400,
		} {
			answer := f.ask(t, "GET", path+"?"+query, admin)
			if answer.Code != status {
				t.Errorf("%s?%s answers %d: %s", dataset, query, answer.Code, answer.Body)
				continue
			}
			item := doc.Paths.Find(path).Get.Responses.Status(answer.Code)
			mediaType, _, _ := strings.Cut(answer.Header().Get("Content-Type"), ";")
			if item == nil || item.Value.Content.Get(mediaType) == nil {
				t.Errorf("%s?%s: the document has no %d with %s", dataset, query, answer.Code, mediaType)
			} else if mediaType != "application/x-ndjson" && strings.HasSuffix(mediaType, "json") {
				if err := fits(t, doc, path, path+"?"+query, answer.Code, answer.Header(), answer.Body.Bytes()); err != nil {
					t.Errorf("%s?%s: %v", dataset, query, err)
				}
			}
			for _, name := range []string{"X-Courant-Position", "X-Courant-Attribution", "Link", "Content-Disposition"} {
				if answer.Header().Get(name) != "" && item.Value.Headers[name] == nil {
					t.Errorf("%s?%s: the document has no header %s", dataset, query, name)
				}
			}
		}
	}
}

// Clients are made from the document by programs that take no more of OpenAPI 3.1 than this.
func TestTheDocumentIsAsMakersOfClientsNeedIt(t *testing.T) {
	t.Parallel()
	f := open(t)
	var check func(path string, value any)
	check = func(path string, value any) {
		switch v := value.(type) {
		case map[string]any:
			if kinds, isList := v["type"].([]any); isList && (len(kinds) != 2 || kinds[1] != "null" || kinds[0] == "object" || v["enum"] != nil) {
				t.Errorf("%s: a list of types that is not one type or null: %v", path, kinds)
			}
			if kinds, isList := v["type"].([]any); (v["type"] == "number" || isList && kinds[0] == "number") && v["format"] != "double" {
				t.Errorf("%s: a number without the format double", path)
			}
			for name, member := range v {
				if name != "example" {
					check(path+"/"+name, member)
				}
			}
		case []any:
			for i, member := range v {
				check(fmt.Sprintf("%s/%d", path, i), member)
			}
		}
	}
	var whole map[string]any
	must(t, json.Unmarshal(f.ask(t, "GET", "/api/openapi.json").Body.Bytes(), &whole))
	check("", whole)
	doc := document(t, f)
	stat := doc.Paths.Find("/api/datasets/afrr-energy/rows").Get.Parameters.GetByInAndName("query", "stat").Schema.Value
	for text, want := range map[string]bool{"mean": true, "mean,max": true, "mean,": false, "median": false} {
		if err := stat.VisitJSON(text); (err == nil) != want {
			t.Errorf("stat=%s: %v", text, err)
		}
	}
	if doc.Info.License == nil {
		t.Error("the document names no licence")
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			refused := false
			for status, response := range operation.Responses.Map() {
				refused = refused || strings.HasPrefix(status, "4")
				for mediaType, content := range response.Value.Content {
					if content.Schema == nil {
						t.Errorf("%s %s: %s has no schema", method, path, mediaType)
					} else if mediaType == "text/csv" && !content.Schema.Value.Type.Is("string") {
						t.Errorf("%s %s: CSV is not a string", method, path)
					}
				}
			}
			if !refused {
				t.Errorf("%s %s has no answer from 400 to 499", method, path)
			}
		}
	}
}

func TestDescriptionsAreNotSentAgainToThoseWhoHaveThem(t *testing.T) {
	t.Parallel()
	f := open(t)
	for _, path := range []string{"/api/openapi.json", "/llms.txt"} {
		tag := f.ask(t, "GET", path, header("Accept-Language", "en")).Header().Get("Etag")
		for language, want := range map[string]int{"en": 304, "fr": 200} {
			w := f.ask(t, "GET", path, header("Accept-Language", language), header("If-None-Match", tag))
			if w.Code != want || !strings.Contains(w.Header().Get("Vary"), "Accept-Language") {
				t.Errorf("%s in %s with the English tag %q answers %d, %v", path, language, tag, w.Code, w.Header())
			}
		}
	}
}

func TestTheAPIAsTextNamesEveryDatasetColumnRouteAndError(t *testing.T) {
	t.Parallel()
	f := open(t, func(o *api.Options) { o.PublicURL = "https://courant.example" })
	for _, language := range []string{"fr", "en"} {
		w := f.ask(t, "GET", "/llms.txt", header("Accept-Language", language))
		text := w.Body.String()
		if w.Code != 200 || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || !strings.HasPrefix(text, "# Courant\n\n> ") {
			t.Fatalf("%d, %v: %.100s", w.Code, w.Header(), text)
		}
		wanted := []string{"Authorization: Bearer crt_", "Europe/Paris", "https://courant.example/api/openapi.json", "`updated_since`", "PT4S"}
		for _, dataset := range market.Datasets() {
			wanted = append(wanted, "GET /api/datasets/"+string(dataset)+"/rows")
			for _, column := range dataset.Series().ServedColumns() {
				wanted = append(wanted, "`"+column.Name+"`")
			}
		}
		for _, name := range endpoints {
			wanted = append(wanted, "https://courant.example/api/"+name)
		}
		for _, kind := range web.Problems() {
			wanted = append(wanted, "https://courant.example/docs/problems/"+string(kind.Code))
		}
		for _, want := range wanted {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the text has no %s", language, want)
			}
		}
	}
}

func TestAnAnswerWithoutAKeyDoesNotMatchTheDocument(t *testing.T) {
	t.Parallel()
	f, _ := withMarket(t)
	doc := document(t, f)
	header := http.Header{"Content-Type": {"application/json"}}
	for body, want := range map[string]bool{
		`{"rows":[],"latestDate":null,"earliestDate":null}`:                     true,
		`{"rows":[],"latestDate":null}`:                                         false,
		`{"rows":[],"latestDate":"tomorrow","earliestDate":null}`:               false,
		`{"rows":[],"latestDate":null,"earliestDate":null,"more":1}`:            false,
		`{"rows":[{"hour_start_utc":1}],"latestDate":null,"earliestDate":null}`: false,
	} {
		if err := fits(t, doc, "/api/day-ahead-prices", "/api/day-ahead-prices", 200, header, []byte(body)); (err == nil) != want {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestTheDocumentHasAnExampleOfEachAnswerInJSON(t *testing.T) {
	t.Parallel()
	f := open(t)
	for _, language := range []string{"fr", "en"} {
		doc := document(t, f, header("Accept-Language", language))
		for path, item := range doc.Paths.Map() {
			if item.Get == nil || !strings.HasPrefix(path, "/api/") || path == "/api/openapi.json" {
				continue
			}
			described := item.Get.Responses.Status(200).Value.Content.Get("application/json")
			if described == nil {
				continue
			}
			body, err := json.Marshal(described.Example)
			must(t, err)
			if described.Example == nil {
				t.Errorf("%s has no example: add one to exampleBody", path)
			} else if err := fits(t, doc, path, path, 200, http.Header{"Content-Type": {"application/json"}}, body); err != nil {
				t.Errorf("the example of %s: %v\n%s", path, err, body)
			}
		}
	}
}

var example = regexp.MustCompile(`(?s)<section id="([a-z-]+)">\n<h2><code>GET (/api/[^<]*)</code>.*?<p class="kicker">(Current answer|Example)[^<]*</p>\n<pre tabindex="0">([^<]*)</pre>`)

func TestTheDocumentationShowsWhatIsServedToThoseWhoMayReadIt(t *testing.T) {
	f, admin := withMarket(t, reporting(inState("ok")))
	member := carrying(f.session(t, f.account(t, "anne@example.org", store.Member)))
	doc := document(t, f)
	forAccounts := []string{"rows", "status", "datasets", "dataset"}
	for name, test := range map[string]struct {
		dress func(*http.Request)
		live  []string // the examples that are served now
	}{
		"guest":         {func(*http.Request) {}, nil},
		"member":        {member, append(forAccounts, "day-ahead-prices")},
		"administrator": {admin, append(forAccounts, endpoints...)},
	} {
		page := f.ask(t, "GET", "/docs", test.dress, header("Accept-Language", "en")).Body.String()
		if strings.Contains(page, "<code></code>") {
			t.Errorf("%s sees a field without a name", name)
		}
		var seen []string
		for section := range strings.SplitSeq(page, "</section>") {
			match := example.FindStringSubmatch(section)
			if match == nil {
				continue
			}
			endpoint, path, live, body := match[1], match[2], match[3] == "Current answer", strings.ReplaceAll(match[4], "&#34;", `"`)
			if endpoint == "rows" {
				path = "/api/datasets/day-ahead-prices/rows"
			}
			if live != slices.Contains(test.live, endpoint) {
				t.Errorf("%s: the example of %s is live: %t", name, endpoint, live)
			}
			seen = append(seen, endpoint)
			if err := fits(t, doc, path, path, 200, http.Header{"Content-Type": {"application/json"}}, []byte(body)); err != nil {
				t.Errorf("%s: the example of %s: %v\n%s", name, endpoint, err, body)
			}
		}
		for _, want := range append(append(forAccounts, "revisions"), endpoints...) {
			if !slices.Contains(seen, want) {
				t.Errorf("%s sees no example of %s", name, want)
			}
		}
	}
}

func TestTheDocumentationNamesWhoRunsThisCourant(t *testing.T) {
	f := open(t, func(o *api.Options) {
		o.PublicURL, o.Contact = "https://courant.example", "Anne <anne@courant.example>"
	})
	page := f.ask(t, "GET", "/docs").Body.String()
	for _, want := range []string{
		`curl -H &#34;Authorization: Bearer $COURANT_TOKEN&#34; https://courant.example/api/day-ahead-prices`, "Anne &lt;anne@courant.example&gt;",
		`href="/offres"`, `href="/api/openapi.json"`, "subscription_required",
	} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "&#34;", `"`)) {
			t.Errorf("the page does not hold %s", want)
		}
	}
	f = open(t)
	if page := f.ask(t, "GET", "/docs", func(r *http.Request) { r.Host = "here.example" }).Body.String(); !strings.Contains(page, "http://here.example/api/day-ahead-prices") {
		t.Error("without a public address the page does not name its own")
	}
}

func TestAnExampleIsAnAnswerWithItsListsCutShort(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"b":[1,2,3],"a":null}`:                      `{"b":[1,2],"a":null}`,
		`{"rows":[{"x":[1,2,3]},{"x":[]},{"x":[4]}]}`: `{"rows":[{"x":[1,2]},{"x":[]}]}`,
		`[]`: `[]`,
		`{"a":0.1,"b":-12.50,"c":true,"d":"\"<é"}`: `{"a":0.1,"b":-12.50,"c":true,"d":"\"<é"}`,
	} {
		got, err := api.Shorten([]byte(text), 2)
		must(t, err)
		var compact bytes.Buffer
		must(t, json.Compact(&compact, []byte(got)))
		if compact.String() != want {
			t.Errorf("%s becomes %s, want %s", text, &compact, want)
		}
	}
	for _, broken := range []string{"", "{", `{"a":`, `[1,`} {
		if got, err := api.Shorten([]byte(broken), 2); err == nil {
			t.Errorf("%q becomes %q", broken, got)
		}
	}
}
