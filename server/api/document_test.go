package api_test

import (
	"bytes"
	"io"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"courant/server/api"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest/await"
)

func TestThePreferredCodingIsSent(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ accept, want string }{
		{"", ""},
		{"gzip", "gzip"},
		{"zstd", "zstd"},
		{"gzip, deflate, br, zstd", "zstd"},
		{"zstd;q=0.5, gzip", "gzip"},
		{"ZSTD ; Q=1.000 ,GZip;q=0.999", "zstd"},
		{"x-gzip", "gzip"},
		{"*", "zstd"},
		{"*;q=0", ""},
		{"gzip;q=0, *", "zstd"},
		{"*;q=0, gzip;q=0.1", "gzip"},
		{"identity;q=0", ""}, // nothing else is acceptable either: identity
		{"identity;q=0, gzip;q=0.001", "gzip"},
		{"identity, gzip;q=0.5", ""},
		{"identity;q=0.5, gzip;q=0.5", "gzip"},
		{"gzip;q=0", ""},
		{"gzip;q=1.001", ""},
		{"gzip;q=2", ""},
		{"gzip;q=-1", ""},
		{"gzip;q=0.1234", ""},
		{"gzip;q=", ""},
		{"gzip;level=9", ""},
		{"br, deflate", ""},
		{",,;;,=,q=1", ""},
		{strings.Repeat("x", 10_000), ""},
		{strings.Repeat("br;q=0.1,", 1000) + "gzip", "gzip"},
	} {
		if got := api.Chosen(row.accept); got != row.want {
			t.Errorf("%.80q gets %q, want %q", row.accept, got, row.want)
		}
	}
	if got := api.Chosen(); got != "" {
		t.Errorf("without the header it is %q", got)
	}
	if got := api.Chosen("br", "gzip"); got != "gzip" {
		t.Errorf("of two headers it is %q", got)
	}
}

func TestWhichTagsMatchIfNoneMatch(t *testing.T) {
	t.Parallel()
	const tag = `"a1.gz"`
	for _, row := range []struct {
		value string
		want  bool
	}{
		{tag, true}, {"W/" + tag, true}, {`"x", W/"y" , ` + tag, true}, {"*", true}, {" * ", true}, {`"x","a1.gz"`, true},
		{`"x"`, false}, {"", false}, {"a1.gz", false}, {`"a1.gz`, false}, {`"A1.GZ"`, false}, {`"a1"`, false},
		{`"a1.gz-gzip"`, true}, {`W/"a1.gz-br"`, true}, {`"x", "a1.gz-zstd"`, true}, {`"a1.gz-gz"`, false}, {`"-gzip"`, false}, {`"a1-gzip"`, false},
		{`junk, ` + tag, false}, {`"*"`, false}, {strings.Repeat(`"t",`, 1000) + tag, true}, {strings.Repeat(`"`, 10_000), false},
	} {
		if got := api.MatchesTag(row.value, tag); got != row.want {
			t.Errorf("%.60q names it: %t", row.value, got)
		}
	}
}

func unpacked(t *testing.T, coding string, content []byte) []byte {
	t.Helper()
	var from io.Reader = bytes.NewReader(content)
	switch coding {
	case "gzip":
		r, err := gzip.NewReader(from)
		must(t, err)
		from = r
	case "zstd":
		r, err := zstd.NewReader(from)
		must(t, err)
		defer r.Close()
		from = r
	}
	plain, err := io.ReadAll(from)
	must(t, err)
	return plain
}

func TestEveryBodyIsSentInTheCodingThatIsAskedForAndOnlyIfItChanged(t *testing.T) {
	f := open(t)
	f.commit(t, marketOn(market.DeliveryDateOf(noon)))
	f.refresh(t)
	f.Settle()
	admin := bearer(f.token(t, f.account(t, "boris@example.org", store.Administrator), nil))
	for name, want := range f.Snapshot() {
		tags := map[string]bool{}
		for _, coding := range []string{"", "gzip", "zstd"} {
			accept := header("Accept-Encoding", coding)
			w := f.ask(t, "GET", "/api/"+name, admin, accept)
			if w.Code != 200 || w.Header().Get("Content-Encoding") != coding || !bytes.Equal(unpacked(t, coding, w.Body.Bytes()), want) {
				t.Fatalf("%s in %q: %d, coding %q, %d bytes", name, coding, w.Code, w.Header().Get("Content-Encoding"), w.Body.Len())
			}
			if coding != "" && w.Body.Len() >= len(want)/2 {
				t.Errorf("%s in %s has %d of %d bytes", name, coding, w.Body.Len(), len(want))
			}
			for key, value := range map[string]string{"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Authorization, Cookie",
				"Content-Type": "application/json"} {
				if got := w.Header().Get(key); got != value {
					t.Errorf("%s in %q: %s is %q, want %q", name, coding, key, got, value)
				}
			}
			tag := w.Header().Get("ETag")
			if !strings.HasPrefix(tag, `"`) || tags[tag] || strings.Contains(tag, "-") { // proxies remove -gzip from If-None-Match, not from tags
				t.Errorf("%s in %q has the tag %s, like another, or with a hyphen", name, coding, tag)
			}
			tags[tag] = true

			head := f.ask(t, "HEAD", "/api/"+name, admin, accept)
			if head.Code != 200 || head.Body.Len() != 0 || head.Header().Get("Content-Length") != w.Header().Get("Content-Length") || head.Header().Get("ETag") != tag {
				t.Errorf("HEAD of %s in %q: %d, %v", name, coding, head.Code, head.Header())
			}
			for method, held := range map[string]string{"GET": `"other", W/` + tag, "HEAD": tag} {
				same := f.ask(t, method, "/api/"+name, admin, accept, header("If-None-Match", held))
				if same.Code != 304 || same.Body.Len() != 0 || same.Header().Get("ETag") != tag || same.Header().Get("Vary") == "" || same.Header().Get("Content-Encoding") != "" {
					t.Errorf("%s of %s in %q that is held: %d, %v", method, name, coding, same.Code, same.Header())
				}
			}
			for other := range tags {
				if other == tag {
					continue
				}
				if w := f.ask(t, "GET", "/api/"+name, admin, accept, header("If-None-Match", other)); w.Code != 200 {
					t.Errorf("%s in %q with the tag of another coding: %d", name, coding, w.Code)
				}
			}
		}
	}
	// A client that may not read does not learn whether anything changed.
	w := f.ask(t, "GET", "/api/fcr-capacity", header("If-None-Match", "*"))
	if w.Code != 401 || w.Header().Get("ETag") != "" {
		t.Errorf("a guest is answered %d, ETag %q", w.Code, w.Header().Get("ETag"))
	}
}

func TestATagLivesAsLongAsTheBytesOfItsBody(t *testing.T) {
	f := open(t)
	f.commit(t, oneOfEach(12.5))
	f.refresh(t)
	admin := bearer(f.token(t, f.account(t, "boris@example.org", store.Administrator), nil))
	tags := func() map[string]string {
		now := map[string]string{}
		for name := range f.Snapshot() {
			now[name] = f.ask(t, "GET", "/api/"+name, admin).Header().Get("ETag")
		}
		return now
	}
	before := tags()
	f.commit(t, market.Batch{}, market.DayAheadPrices) // a run that brought nothing new
	f.refresh(t)
	for name, tag := range tags() {
		if tag != before[name] {
			t.Errorf("%s changed, and nothing else did", name)
		}
	}
	f.commit(t, oneOfEach(13))
	f.refresh(t)
	for name, tag := range tags() {
		if tag == before[name] {
			t.Errorf("%s changed and has the same tag", name)
		}
	}
}

// A client that has the quick gzip gets 304 after the content is compressed better.
func TestTheTagOfTheQuickGzipStillMatchesAfterABetterOneIsMade(t *testing.T) {
	t.Parallel()
	quick, better := api.QuickAndBest()
	if quick == better {
		t.Fatal("the two have one tag")
	}
	if held := api.HeldAfterPacking(quick); held != quick {
		t.Errorf("the quick one is held as %q", held)
	}
}

func TestPagesAreSentPackedWhereThatIsAccepted(t *testing.T) {
	t.Parallel()
	f := open(t)
	plain := f.ask(t, "GET", "/docs")
	packed := f.ask(t, "GET", "/docs", header("Accept-Encoding", "gzip, br"))
	if packed.Header().Get("Content-Encoding") != "gzip" || !bytes.Equal(unpacked(t, "gzip", packed.Body.Bytes()), plain.Body.Bytes()) || plain.Header().Get("Content-Encoding") != "" {
		t.Errorf("packed %v, plain %v", packed.Header(), plain.Header())
	}
	if refused := f.ask(t, "GET", "/docs", header("Accept-Encoding", "gzip;q=0")); refused.Header().Get("Content-Encoding") != "" {
		t.Errorf("refused, and sent as %v", refused.Header())
	}
}

func TestStaticFilesAreSentPacked(t *testing.T) {
	t.Parallel()
	f := open(t)
	for _, name := range []string{"style.css", "chart.js"} {
		plain := f.ask(t, "GET", "/static/"+name)
		packed := f.ask(t, "GET", "/static/"+name, header("Accept-Encoding", "gzip"))
		if packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("Vary") != "Accept-Encoding" || !bytes.Equal(unpacked(t, "gzip", packed.Body.Bytes()), plain.Body.Bytes()) {
			t.Errorf("%s: %v", name, packed.Header())
		}
		if again := f.ask(t, "GET", "/static/"+name, header("If-None-Match", plain.Header().Get("ETag"))); again.Code != 304 {
			t.Errorf("%s that is held: %d", name, again.Code)
		}
	}
}

// stuck is a connection to a client that reads nothing until it is released.
type stuck struct {
	httptest.ResponseRecorder
	writing, release chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	close(s.writing)
	<-s.release
	return s.ResponseRecorder.Write(p)
}

func TestASlowReaderHoldsOnlyWhatItReads(t *testing.T) {
	f := open(t)
	f.commit(t, oneOfEach(12.5))
	f.refresh(t)
	f.Settle()
	admin, alive, want := f.admin(t), f.Alive(), f.Snapshot()["fcr-capacity"]
	slow := &stuck{*httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/api/fcr-capacity", nil)
	admin(r)
	var reading sync.WaitGroup
	reading.Go(func() { f.ServeHTTP(slow, r) })
	await.Value(t, slow.writing)
	f.commit(t, oneOfEach(99))
	f.refresh(t)
	f.Settle()
	runtime.GC()
	if left := alive(); len(left) > 1 || len(left) == 1 && left[0] != "fcr-capacity" {
		t.Errorf("while one reads fcr-capacity slowly, %v are held", left)
	}
	if got := f.ask(t, "GET", "/api/fcr-capacity", admin).Body.Bytes(); bytes.Equal(got, want) {
		t.Error("others are served the former body")
	}
	close(slow.release)
	reading.Wait()
	same(t, slow.Body.Bytes(), want)
}

// headers are parts of header values, well-formed and malformed.
var headers = []string{
	"", "*", "gzip", "gzip;q=0.5, zstd;q=1.000, identity;q=0, *;q=0", "br,,\t;q=", `"a", W/"b"`, `W/"`, `"`, "W/", "*, *", "\xff\x00,;=", strings.Repeat(`,"`, 50),
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, text := range headers {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		if coding := api.Chosen(one, two); coding != "" && !strings.Contains(strings.ToLower(one+two), coding) && !strings.Contains(one+two, "*") {
			t.Errorf("%q and %q get %s", one, two, coding)
		}
	})
}

func FuzzIfNoneMatch(f *testing.F) {
	for _, text := range headers {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, value string) {
		const tag = `"0123456789abcdef"`
		if api.MatchesTag(value, tag) && !strings.Contains(value, strings.TrimSuffix(tag, `"`)) && strings.TrimSpace(value) != "*" {
			t.Errorf("%q names %s", value, tag)
		}
	})
}

func TestReadingTheHeaderOfARequestAllocatesNothing(t *testing.T) {
	codings, tags := []string{strings.Repeat("gzip;q=0.5, ", 800), "zstd"}, strings.Repeat(`W/"x", `, 1000)
	choose := api.Chooser()
	for name, read := range map[string]func(){
		"Accept-Encoding": func() { choose(codings) },
		"If-None-Match":   func() { api.MatchesTag(tags, `"0123456789abcdef"`) },
	} {
		if got := testing.AllocsPerRun(10, read); got > 0 {
			t.Errorf("%s makes %g allocations", name, got)
		}
	}
}
