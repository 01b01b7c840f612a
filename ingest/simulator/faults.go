package simulator

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"slices"
	"time"
)

// The faults that concern more than the reply to one request.
const (
	Well              = "well"
	ConnectionRefused = "connection-refused"
	TokenExpired      = "token-expired"
	Ban               = "ban"
	Corrected         = "corrections"

	windowCutShort = "window-cut-short"
	flatPrices     = "flat-prices"
	missingDate    = "missing-date"
	outOfBounds    = "out-of-bounds"
)

// banLasts is how long ENTSO-E bans a client that has sent too many requests.
const banLasts = 10 * time.Minute

// gigabyte is the length of a reply that is too long for any client to read.
const gigabyte = 1 << 30

// Fault is one way in which a source fails.
type Fault struct {
	Name string // kebab-case; it never changes
	Says string // what it is, in one line

	at      []string      // the resources that may have it; nil: all
	dated   bool          // it is about one delivery date
	lasting bool          // it cannot be limited to a number of replies
	fail    func(failure) // replies in place of the good answer; nil: the good answer is sent, from the changed market
}

var (
	withValues  = []string{ProcuredReserves, MarginalPrice, StandardMFRR, ImbalanceData, PowerExchanges, A44}
	withPrices  = []string{ImbalanceData, PowerExchanges, A44}
	withWindows = []string{ProcuredReserves, StandardMFRR, ImbalanceData, A44} // of more than a delivery date
	withTokens  = []string{Token, ProcuredReserves, MarginalPrice, StandardMFRR, ImbalanceData, PowerExchanges}
	onlyA44     = []string{A44}
)

// Faults returns all faults, in the order in which they are listed.
func Faults() []Fault {
	return []Fault{
		{Name: Well, Says: "nothing goes wrong", lasting: true},

		{Name: ConnectionRefused, Says: "the port of the source is closed", lasting: true, fail: failure.cut},
		{Name: "connection-reset", Says: "the connection is reset before the reply", fail: failure.reset},
		{Name: "connection-closed", Says: "the connection is closed before the reply", fail: failure.cut},
		{Name: "reset-in-body", Says: "the connection is reset in the middle of the reply", fail: half(failure.reset)},
		{Name: "hang-before-headers", Says: "no answer comes, and the connection stays open", fail: failure.hang},
		{Name: "hang-in-body", Says: "half of the reply comes, and then nothing", fail: half(failure.hang)},
		{Name: "truncated-body", Says: "the connection is closed in the middle of the reply", fail: half(failure.cut)},
		{Name: "early-end", Says: "the reply is the first half of a document, and ends well", fail: failure.endEarly},

		{Name: "html-page", Says: "a maintenance page with status 200", fail: with(htmlAnswer(http.StatusOK, maintenance))},
		{Name: "plain-text", Says: "plain text with status 200", fail: with(textAnswer(http.StatusOK, "try again later"))},
		{Name: "empty-reply", Says: "nothing with status 200", fail: with(answer{status: http.StatusOK})},
		{Name: "another-document", Says: "a document of another kind with status 200", fail: failure.answerAnother},
		{Name: "redirect", Says: "a redirect to another host", fail: status(http.StatusFound, "Location", "http://elsewhere.invalid/")},
		{Name: "gzip-lie", Says: "the reply claims to be gzip and is not", fail: failure.lie},
		{Name: "gigabyte", Says: "the reply is 1 GB long", fail: failure.goOn},

		{Name: "status-204", Says: "204", fail: status(http.StatusNoContent)},
		{Name: "status-400", Says: "400, the request is refused", fail: status(http.StatusBadRequest)},
		{Name: "status-401", Says: "401, the credentials are refused", fail: status(http.StatusUnauthorized)},
		{Name: "status-403", Says: "403, there is no subscription", fail: status(http.StatusForbidden)},
		{Name: "status-404", Says: "404", fail: status(http.StatusNotFound)},
		{Name: "status-408", Says: "408", fail: status(http.StatusRequestTimeout)},
		{Name: "status-413", Says: "413", fail: status(http.StatusRequestEntityTooLarge)},
		{Name: "status-414", Says: "414", fail: status(http.StatusRequestURITooLong)},
		{Name: "status-429", Says: "429 without Retry-After", fail: status(http.StatusTooManyRequests)},
		{Name: "status-429-retry-after", Says: "429 with a Retry-After of 30 s", fail: status(http.StatusTooManyRequests, retryAfter, "30")},
		{Name: "status-429-retry-after-date", Says: "429 with the date in a minute as Retry-After", fail: failure.retryAtDate},
		{Name: "status-500", Says: "500", fail: status(http.StatusInternalServerError)},
		{Name: "status-503", Says: "503 with a maintenance page", fail: status(http.StatusServiceUnavailable)},
		{Name: "status-503-retry-after", Says: "503 with a Retry-After of 90 s", fail: status(http.StatusServiceUnavailable, retryAfter, "90")},
		{Name: "status-503-retry-after-day", Says: "503 with a Retry-After of a day", fail: status(http.StatusServiceUnavailable, retryAfter, "86400")},
		{Name: "status-509", Says: "509, the bandwidth is used up", fail: status(statusBandwidthLimit)},

		{Name: "no-data", Says: "a document that says that there is no data", at: onlyA44, fail: acknowledge(http.StatusOK, noMatchingData)},
		{Name: "status-400-no-data", Says: "400 with a document that says that there is no data", at: onlyA44, fail: acknowledge(http.StatusBadRequest, noMatchingData)},
		{Name: "status-400-too-wide", Says: "400, whatever the window it is too wide", at: onlyA44,
			fail: acknowledge(http.StatusBadRequest, "The amount of requested data exceeds allowed limit.")},
		{Name: Ban, Says: "429 for ten minutes from the next call on, whatever is set meanwhile", at: onlyA44, lasting: true, fail: status(http.StatusTooManyRequests)},
		{Name: TokenExpired, Says: "the tokens given so far expire at once", at: withTokens, lasting: true},

		{Name: windowCutShort, Says: "a wide window is answered for its first 3 delivery dates", at: withWindows},
		{Name: flatPrices, Says: "all prices of a delivery date are 0", at: withPrices, dated: true},
		{Name: missingDate, Says: "a delivery date is left out", at: withValues, dated: true},
		{Name: outOfBounds, Says: "one value of a delivery date is out of bounds", at: withValues, dated: true},
		{Name: Corrected, Says: "the values of a delivery date are the corrected ones, for good", at: withValues, dated: true, lasting: true},
	}
}

// faults is Faults by name, made once.
var faults = func() map[string]Fault {
	named := make(map[string]Fault)
	for _, f := range Faults() {
		named[f.Name] = f
	}
	return named
}()

// mayBeAt reports whether a resource may have the fault.
func (f Fault) mayBeAt(r resource) bool { return f.at == nil || slices.Contains(f.at, r.name) }

const (
	statusBandwidthLimit = 509 // not in net/http
	retryAfter           = "Retry-After"
	maintenance          = "<h1>Service Temporarily Unavailable</h1><p>Scheduled maintenance is currently underway. Please check back soon.</p>"
	noMatchingData       = "No matching data found"
)

// failure is a request that a fault answers.
type failure struct {
	w        http.ResponseWriter
	r        *http.Request
	resource resource
	now      time.Time
	good     func() answer // the reply without the fault
}

// cut closes the connection.
func (f failure) cut() { panic(http.ErrAbortHandler) }

// hang waits until the client goes away or the server is closed.
func (f failure) hang() {
	<-f.r.Context().Done()
	f.cut()
}

// reset closes the connection so that data in transit are lost.
func (f failure) reset() {
	connection, _, err := http.NewResponseController(f.w).Hijack()
	if err != nil {
		f.cut()
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	connection.Close()
}

// half sends the first half of the good answer and then fails.
func half(fail func(failure)) func(failure) {
	return func(f failure) {
		a := f.good()
		a.writeHeadTo(f.w)
		f.w.Write(a.body[:len(a.body)/2])
		http.NewResponseController(f.w).Flush()
		fail(f)
	}
}

func (f failure) endEarly() {
	a := f.good()
	a.body = a.body[:len(a.body)/2]
	a.writeTo(f.w)
}

// answerAnother answers with the document of a sibling resource.
func (f failure) answerAnother() {
	another := answer{http.StatusOK, "application/json", []byte(`{"standard_rr_data":[]}`)}
	if f.resource.source == AllOfENTSOE {
		another = xmlAnswer(http.StatusOK, []byte("<Balancing_MarketDocument/>"))
	}
	another.writeTo(f.w)
}

func (f failure) lie() {
	f.w.Header().Set("Content-Encoding", "gzip")
	f.good().writeTo(f.w)
}

// goOn begins a document and continues with white space, which is only generated as
// far as the client reads.
func (f failure) goOn() {
	f.w.Header().Set("Content-Type", f.good().contentType)
	io.WriteString(f.w, f.resource.opening)
	block := bytes.Repeat([]byte(" "), 64<<10)
	for range gigabyte / len(block) {
		if _, err := f.w.Write(block); err != nil {
			return
		}
	}
}

func (f failure) retryAtDate() {
	status(http.StatusTooManyRequests, retryAfter, f.now.Add(time.Minute).UTC().Format(http.TimeFormat))(f)
}

func with(a answer) func(failure) { return func(f failure) { a.writeTo(f.w) } }

func acknowledge(code int, reason string) func(failure) {
	return func(f failure) { xmlAnswer(code, acknowledgement(reason, f.now)).writeTo(f.w) }
}

// status answers with a status, some headers and the body that the source sends with it.
func status(code int, headers ...string) func(failure) {
	return func(f failure) {
		for pair := range slices.Chunk(headers, 2) {
			f.w.Header().Set(pair[0], pair[1])
		}
		refusal(f.resource.source, code, f.now).writeTo(f.w)
	}
}

// refusal is the body that a source sends with a status other than 200.
func refusal(source string, code int, now time.Time) answer {
	rte := source == AllOfRTE
	switch {
	case code == http.StatusNoContent:
		return answer{status: code}
	case code == http.StatusServiceUnavailable:
		return htmlAnswer(code, maintenance)
	case code == http.StatusBadRequest && rte:
		return rteError(code, "invalid_request", "the request cannot be served")
	case code == http.StatusBadRequest:
		return xmlAnswer(code, acknowledgement("Delivered time interval is not valid for this Data item.", now))
	case code == http.StatusUnauthorized && rte:
		return rteError(code, "invalid_token", "the access token is missing or has expired")
	case code == http.StatusUnauthorized:
		return htmlAnswer(code, "<h1>Unauthorized</h1><p>Missing or invalid security token.</p>")
	case code == http.StatusInternalServerError && rte:
		return rteError(code, "internal_error", "the request could not be served")
	case code == http.StatusTooManyRequests && rte:
		return textAnswer(code, "requests too frequent")
	case rte: // RTE's other errors have no useful body
		return answer{status: code}
	}
	return textAnswer(code, statusTexts[code])
}

// statusTexts are the texts that ENTSO-E sends with a status.
var statusTexts = map[int]string{
	http.StatusFound:                 "moved for now",
	http.StatusForbidden:             "access is not allowed",
	http.StatusNotFound:              "404 page not found",
	http.StatusRequestTimeout:        "the request took too long",
	http.StatusRequestEntityTooLarge: "the request is too large",
	http.StatusRequestURITooLong:     "the address is too long",
	http.StatusTooManyRequests:       "Max allowed requests per minute from each unique IP is max up to 400 only",
	http.StatusInternalServerError:   "an error occurred",
	statusBandwidthLimit:             "bandwidth limit exceeded",
}
