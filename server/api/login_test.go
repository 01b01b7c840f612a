package api_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"courant/auth"
	"courant/server/api"
	"courant/store"
	"courant/store/storetest/await"
)

const (
	email    = "anne@example.org"
	password = "correct horse battery"
)

// withUser is a fixture with an account that can sign in.
func withUser(t *testing.T, changes ...func(*api.Options)) *fixture {
	t.Helper()
	f := open(t, changes...)
	must(t, f.auth.AddUser(t.Context(), email, password, false))
	f.refresh(t)
	return f
}

// form is the body of a sign-in.
func form(email, password string) io.Reader {
	return strings.NewReader(url.Values{"email": {email}, "password": {password}}.Encode())
}

var urlencoded = header("Content-Type", "application/x-www-form-urlencoded")

func TestALinkSignsInOnceAndOnlyByGet(t *testing.T) {
	t.Parallel()
	f := withUser(t)
	account, err := f.auth.User(t.Context(), email)
	must(t, err)
	if w := f.ask(t, "GET", "/login?key="); w.Code != 200 {
		t.Errorf("without a link an empty key answers %d", w.Code)
	}
	replaced := f.SignInOnce(account)
	link := f.SignInOnce(account)
	for _, request := range []struct {
		method, path string
		status       int
	}{
		{"GET", replaced, 200}, {"GET", link + "A", 200}, {"HEAD", link, 200}, {"GET", link, 303}, {"GET", link, 200},
	} {
		w := f.ask(t, request.method, request.path)
		if w.Code != request.status || (len(w.Result().Cookies()) > 0) != (request.status == 303) {
			t.Errorf("%s %s answers %d and sets %d cookies", request.method, request.path, w.Code, len(w.Result().Cookies()))
		}
		if request.status == 303 {
			cookie := w.Result().Cookies()[0]
			if w := f.ask(t, "GET", "/", header("Cookie", cookie.Name+"="+cookie.Value)); w.Code != 200 || !strings.Contains(w.Body.String(), email) {
				t.Errorf("its session answers %d", w.Code)
			}
		}
	}
}

func TestASessionIsValidFromSigningInToSigningOut(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		f := withUser(t, func(o *api.Options) {
			o.Auth = auth.New(auth.Options{Store: o.Store, Clock: o.Clock, SecureCookie: secure, Hashing: cheap})
		})
		w := f.send(t, "POST", "/login", form(" ANNE@example.org ", password), urlencoded)
		if w.Code != 303 || w.Header().Get("Location") != "/" {
			t.Fatalf("signing in answers %d to %q: %s", w.Code, w.Header().Get("Location"), w.Body)
		}
		cookies := w.Result().Cookies()
		if len(cookies) != 2 {
			t.Fatalf("signing in sets %d cookies", len(cookies))
		}
		cookie := cookies[0] // the session's; the other one is the device's
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" || cookie.Secure != secure {
			t.Errorf("with secure %t the cookie is %s", secure, cookie)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control %q", got)
		}
		signedIn := header("Cookie", cookie.Name+"="+cookie.Value)
		if w := f.ask(t, "GET", "/api/day-ahead-prices", signedIn); w.Code != 200 {
			t.Errorf("the cookie reads %d", w.Code)
		}
		if w := f.ask(t, "GET", "/", signedIn); w.Code != 200 || !strings.Contains(w.Body.String(), email) {
			t.Errorf("the cookie opens the page with %d", w.Code)
		}
		w = f.ask(t, "POST", "/logout", signedIn)
		if w.Code != 303 || w.Header().Get("Location") != "/login" {
			t.Errorf("signing out answers %d to %q", w.Code, w.Header().Get("Location"))
		}
		if back := w.Result().Cookies(); len(back) != 1 || back[0].Name != cookie.Name || back[0].MaxAge >= 0 || back[0].Value != "" {
			t.Errorf("signing out sets %v", back)
		}
		if w := f.ask(t, "GET", "/api/day-ahead-prices", signedIn); w.Code != 401 {
			t.Errorf("after signing out the cookie reads %d", w.Code)
		}
		if w := f.ask(t, "POST", "/logout", signedIn); w.Code != 303 {
			t.Errorf("signing out twice answers %d", w.Code)
		}
		if w := f.ask(t, "POST", "/logout"); w.Code != 303 {
			t.Errorf("a guest's signing out answers %d", w.Code)
		}
	}
}

func TestASignInThatIsRefusedShowsThePageAgain(t *testing.T) {
	t.Parallel()
	f := withUser(t)
	must(t, f.auth.AddUser(t.Context(), "gone@example.org", password, true))
	_, err := f.auth.Disable(t.Context(), "gone@example.org")
	must(t, err)
	for name, test := range map[string]struct {
		email, password string
		shown           string // the address on the page
	}{
		"wrong password":    {email, "incorrect horse", email},
		"no password":       {email, "", email},
		"nobody's address":  {"nobody@example.org", password, "nobody@example.org"},
		"disabled account":  {"gone@example.org", password, "gone@example.org"},
		"nothing":           {"", "", ""},
		"a script":          {`"><script>alert(1)</script>`, password, `&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;`},
		"an event":          {`" onfocus=alert(1) autofocus x="`, password, `&#34; onfocus=alert(1) autofocus x=&#34;`},
		"SQL":               {`' OR 1=1 --`, password, `&#39; OR 1=1 --`},
		"control and NUL":   {"a\x00\r\n@example.org", password, ""},
		"no UTF-8":          {"\xff\xfe@example.org", "\xff\xff\xff", ""},
		"a long one":        {strings.Repeat("a", 20_000) + "@example.org", strings.Repeat("p", 20_000), strings.Repeat("a", 20_000)},
		"the text template": {"{{.}}", password, "{{.}}"},
	} {
		t.Run(name, func(t *testing.T) {
			w := f.send(t, "POST", "/login", form(test.email, test.password), urlencoded, header("Accept-Language", "en"))
			page := w.Body.String()
			if w.Code != 401 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%d, %v", w.Code, w.Header())
			}
			if w.Header().Get("Set-Cookie") != "" || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("the header is %v", w.Header())
			}
			if !strings.Contains(page, "Wrong address or password.") || !strings.Contains(page, `value="`+test.shown) {
				t.Errorf("the page is %.2000s", page)
			}
			if strings.Contains(page, "<script") || strings.Contains(page, password) || !utf8.ValidString(page) {
				t.Errorf("the page is %.2000s", page)
			}
		})
	}
}

func TestMalformedFormsAreRefused(t *testing.T) {
	t.Parallel()
	f := withUser(t)
	right := url.Values{"email": {email}, "password": {password}}.Encode()
	for name, test := range map[string]struct {
		target, contentType, body string
		want                      int
	}{
		"JSON":                       {"/login", "application/json", `{"email":"` + email + `","password":"` + password + `"}`, 401},
		"multipart":                  {"/login", "multipart/form-data; boundary=x", "--x--", 401},
		"no content type":            {"/login", "", right, 401},
		"a content type that is bad": {"/login", "application/x-www-form-urlencoded; =", right, 400},
		"a bad escape":               {"/login", "application/x-www-form-urlencoded", "email=%zz&password=x", 400},
		"a semicolon":                {"/login", "application/x-www-form-urlencoded", "email=a;password=x", 400},
		"nothing":                    {"/login", "application/x-www-form-urlencoded", "", 401},
		"the fields in the query":    {"/login?" + right, "application/x-www-form-urlencoded", "", 401},
		"more fields":                {"/login", "application/x-www-form-urlencoded", right + "&next=//evil.example&role=administrator", 303},
	} {
		t.Run(name, func(t *testing.T) {
			w := f.send(t, "POST", test.target, strings.NewReader(test.body), header("Content-Type", test.contentType))
			if w.Code != test.want {
				t.Errorf("%d, want %d: %s", w.Code, test.want, w.Body)
			}
			if w.Code == 400 && problemOf(t, w).Code != "invalid_parameter" {
				t.Errorf("the problem is %s", w.Body)
			}
			if w.Code == 303 && w.Header().Get("Location") != "/" {
				t.Errorf("sent to %s", w.Header().Get("Location"))
			}
		})
	}
}

func TestABodyIsAtMost64KiB(t *testing.T) {
	t.Parallel()
	f := withUser(t)
	live := httptest.NewServer(f)
	defer live.Close()
	right := url.Values{"email": {email}, "password": {password}}.Encode() + "&filler="
	for name, test := range map[string]struct {
		bytes   int
		chunked bool
		want    int
	}{
		"64 KiB":                     {64 << 10, false, 303},
		"64 KiB in chunks":           {64 << 10, true, 303},
		"a byte more":                {64<<10 + 1, false, 413},
		"a byte more in chunks":      {64<<10 + 1, true, 413},
		"much more in chunks":        {1 << 20, true, 413},
		"a Content-Length, no bytes": {-1, false, 413},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", live.Listener.Addr().String())
			must(t, err)
			defer conn.Close()
			fmt.Fprintf(conn, "POST /login HTTP/1.1\r\nHost: courant\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n")
			var body string
			if test.bytes > 0 {
				body = right + strings.Repeat("a", test.bytes-len(right))
			}
			sent := make(chan struct{})
			go func() { // the server may answer before it has read all
				defer close(sent)
				switch {
				case test.bytes < 0:
					fmt.Fprintf(conn, "Content-Length: 99999999999\r\n\r\n")
				case test.chunked:
					fmt.Fprintf(conn, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
				default:
					fmt.Fprintf(conn, "Content-Length: %d\r\n\r\n%s", len(body), body)
				}
			}()
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			must(t, err)
			defer response.Body.Close()
			w := httptest.NewRecorder()
			w.Code = response.StatusCode
			for name, values := range response.Header {
				w.Header()[name] = values
			}
			_, err = io.Copy(w.Body, response.Body)
			must(t, err)
			if w.Code != test.want {
				t.Fatalf("%d, want %d", w.Code, test.want)
			}
			if w.Code == 413 && problemOf(t, w).Code != "payload_too_large" {
				t.Errorf("the problem is %s", w.Body)
			}
			conn.Close()
			await.Value(t, sent)
		})
	}
}

func TestABodyThatNoHandlerReadsIsAtMost64KiBToo(t *testing.T) {
	t.Parallel()
	f := withUser(t)
	for _, request := range [][2]string{{"POST", "/logout"}, {"GET", "/healthz"}, {"GET", "/api/day-ahead-prices"}, {"POST", "/nothing"}} {
		w := f.send(t, request[0], request[1], strings.NewReader(strings.Repeat("a", 64<<10+1)))
		if w.Code != 413 || problemOf(t, w).Code != "payload_too_large" {
			t.Errorf("%s %s answers %d", request[0], request[1], w.Code)
		}
	}
}

func TestRequestsFromPagesOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		publicURL string
		headers   map[string]string
		refused   bool
	}{
		{"neither header", "", nil, false},
		{"the same origin", "", map[string]string{"Origin": "http://courant.example", "Sec-Fetch-Site": "same-origin"}, false},
		{"the same origin, of an old browser", "", map[string]string{"Origin": "http://courant.example"}, false},
		{"typed by the user", "", map[string]string{"Sec-Fetch-Site": "none"}, false},
		{"another origin", "", map[string]string{"Origin": "https://evil.example"}, true},
		{"another port", "", map[string]string{"Origin": "http://courant.example:81"}, true},
		{"no origin", "", map[string]string{"Origin": "null"}, true},
		{"cross-site", "", map[string]string{"Sec-Fetch-Site": "cross-site"}, true},
		{"same-site", "", map[string]string{"Origin": "http://www.courant.example", "Sec-Fetch-Site": "same-site"}, true},
		{"the public address", "https://public.example", map[string]string{"Origin": "https://public.example", "Sec-Fetch-Site": "cross-site"}, false},
		{"the public address with a path", "https://public.example/courant", map[string]string{"Origin": "https://public.example"}, false},
		{"the public address in capitals", "HTTPS://Public.Example", map[string]string{"Origin": "https://public.example"}, false},
		{"the public address with the port that goes without saying", "https://public.example:443", map[string]string{"Origin": "https://public.example"}, false},
		{"the public address of HTTP with its port", "http://public.example:80", map[string]string{"Origin": "http://public.example"}, false},
		{"the public address with another port", "https://public.example:8443", map[string]string{"Origin": "https://public.example:8443"}, false},
		{"the public address by another scheme", "https://public.example", map[string]string{"Origin": "http://public.example"}, true},
		{"beside a public address", "https://public.example", map[string]string{"Origin": "https://evil.example"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := open(t, func(o *api.Options) { o.PublicURL = test.publicURL })
			f.refresh(t)
			var dress []func(*http.Request)
			for name, value := range test.headers {
				dress = append(dress, header(name, value))
			}
			dress = append(dress, func(r *http.Request) { r.Host = "courant.example" }, urlencoded)
			for path, welcome := range map[string]int{"/login": 401, "/logout": 303} {
				w := f.send(t, "POST", path, form("nobody@example.org", "x"), dress...)
				if test.refused {
					if w.Code != 403 || problemOf(t, w).Code != "forbidden" {
						t.Errorf("%s answers %d", path, w.Code)
					}
				} else if w.Code != welcome {
					t.Errorf("%s answers %d, want %d", path, w.Code, welcome)
				}
			}
			// Requests that only read are allowed.
			if w := f.ask(t, "GET", "/login", dress...); w.Code != 200 {
				t.Errorf("reading answers %d", w.Code)
			}
		})
	}
}

func TestSigningInReplacesTheSessionOfTheRequest(t *testing.T) {
	t.Parallel()
	f := withUser(t)
	const planted = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	cookie := f.send(t, "POST", "/login", form(email, password), urlencoded, header("Cookie", "courant_session="+planted)).Result().Cookies()[0]
	if cookie.Value == planted {
		t.Error("the session that came in is kept")
	}
	if w := f.ask(t, "GET", "/api/day-ahead-prices", header("Cookie", "courant_session="+planted)); w.Code != 401 {
		t.Errorf("the session that came in reads %d", w.Code)
	}
	again := f.send(t, "POST", "/login", form(email, password), urlencoded, header("Cookie", cookie.Name+"="+cookie.Value)).Result().Cookies()[0]
	if w := f.ask(t, "GET", "/api/day-ahead-prices", header("Cookie", cookie.Name+"="+cookie.Value)); w.Code != 401 || again.Value == cookie.Value {
		t.Errorf("after another sign-in the former session reads %d", w.Code)
	}
}

func TestWhileAnotherProgramLocksTheDatabaseRequestsThatWriteAreUnavailable(t *testing.T) {
	t.Parallel()
	f := withUser(t)
	quick, err := store.Open(t.Context(), f.store.Path(), store.BusyTimeout(10*time.Millisecond))
	must(t, err)
	defer quick.Close()
	f = open(t, func(o *api.Options) {
		o.Store, o.Auth = quick, auth.New(auth.Options{Store: quick, Clock: o.Clock})
	})
	f.refresh(t)
	other, err := sql.Open("sqlite", "file:"+quick.Path()+"?_txlock=immediate")
	must(t, err)
	defer other.Close()
	lock, err := other.BeginTx(t.Context(), nil)
	must(t, err)
	for _, request := range []struct{ accept, says string }{
		{"en", "Another program keeps the database locked; try again later."},
		{"fr", "Un autre programme verrouille la base de données ; réessayez plus tard."},
	} {
		w := f.send(t, "POST", "/login", form(email, password), urlencoded, header("Accept-Language", request.accept))
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "10" ||
			!strings.Contains(w.Body.String(), `"code":"unavailable"`) || !strings.Contains(w.Body.String(), request.says) {
			t.Errorf("%d, Retry-After %q: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
		}
	}
	if w := f.ask(t, "GET", "/login"); w.Code != http.StatusOK {
		t.Errorf("a page that needs no write answers %d", w.Code)
	}
	must(t, lock.Rollback())
	if w := f.send(t, "POST", "/login", form(email, password), urlencoded); w.Code != http.StatusSeeOther {
		t.Errorf("after it: %d, %s", w.Code, w.Body)
	}
}
