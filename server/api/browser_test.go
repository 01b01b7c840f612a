package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"courant/server/api"
	"courant/server/hooks"
	"courant/store"
	"courant/store/market"
	"courant/store/storetest"
	"courant/web"
)

// axeFolder is the environment variable with the folder of axe-core as npm installs it.
const axeFolder = "AXE_CORE"

// patience is how long one step on a page may take, its loading included. A run of many pages may take as long as they all do.
const patience = time.Minute

// chromium is the one Chromium of this package's tests. Each browser is a window of it with cookies of its own.
var chromium struct {
	start sync.Once
	ctx   context.Context // nil where there is no Chromium
	stop  func()
	err   error
}

// startChromium starts the Chromium. It is called once.
func startChromium() {
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.DisableGPU)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	chromium.ctx, chromium.stop = ctx, func() { cancel(); stop() }
	chromium.err = startWithin(ctx, cancel)
}

// startWithin runs the first step of a context, which has no limit of its own because its end would be the end of the browser.
func startWithin(ctx context.Context, cancel func()) error {
	limit := time.AfterFunc(patience, cancel)
	defer limit.Stop()
	return chromedp.Do(ctx)
}

// browser is a window that looks at a server.
type browser struct {
	t     *testing.T
	ctx   context.Context
	base  string
	where string // the page on show, for messages

	mu         sync.Mutex
	complaints []string // what it wrote to its console: errors, violations of the policy, files that are not there
}

// openBrowser opens a window of Chromium. Without -long, or without Chromium, it skips the test. The names of tests that call it begin with
// TestInABrowser: .ci/run finds them by that.
func openBrowser(t *testing.T, f *fixture) *browser {
	t.Helper()
	storetest.Long(t)
	chromium.start.Do(startChromium)
	if chromium.ctx == nil {
		t.Skip("SKIPPED: NO CHROMIUM IS INSTALLED, so no page was looked at; apt-get install chromium")
	}
	if chromium.err != nil {
		t.Fatalf("Chromium does not start: %v", chromium.err)
	}
	live := httptest.NewServer(f)
	t.Cleanup(live.Close)
	ctx, cancel := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := startWithin(ctx, cancel); err != nil {
		t.Fatalf("Chromium opens no window: %v", err)
	}
	b := &browser{t: t, ctx: ctx, base: live.URL, where: "about:blank"}
	must(t, chromedp.Listen(ctx, b.hear))
	return b
}

// run does one step on the page and returns what it gives. A failure, or a step that takes too long, ends the test and names the page.
func run[T any](b *browser, step chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, step)
	b.check(err)
	return got
}

// call gives the browser a command of the protocol, as run does a step.
func call[P, R any](b *browser, command cdp.Command[P, R], params P) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, command, params)
	b.check(err)
}

func (b *browser) check(err error) {
	b.t.Helper()
	if errors.Is(err, context.DeadlineExceeded) {
		b.t.Fatalf("page %s: a step is not done within %s: %v", b.where, patience, err)
	} else if err != nil {
		b.t.Fatalf("page %s: %v", b.where, err)
	}
}

// hear stores the complaints of a page.
func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, "console: "+string(e.Type))
	case *cdplog.EventEntryAdded:
		b.complaints = append(b.complaints, e.Entry.Text+" "+e.Entry.URL)
	}
}

// calm fails the test if a page has complained since the last call.
func (b *browser) calm(where string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, complaint := range b.complaints {
		b.t.Errorf("%s: %s", where, complaint)
	}
	b.complaints = nil
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	run(b, chromedp.Steps(steps...))
}

func (b *browser) open(path string) {
	b.t.Helper()
	b.where = path
	b.do(chromedp.Navigate(b.base + path))
}

// follow runs actions that lead to another page and waits for it.
func (b *browser) follow(step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	b.where = "that " + b.where + " leads to"
	run(b, chromedp.WaitEvent(page.LoadEventFired, nil, step))
	b.where = b.text("location.pathname + location.search")
}

// text evaluates an expression of the page that is a text.
func (b *browser) text(expression string) string {
	b.t.Helper()
	return run(b, chromedp.Evaluate[string]("String("+expression+")"))
}

// is fails the test unless the expression is that text.
func (b *browser) is(expression, want string) {
	b.t.Helper()
	if got := b.text(expression); got != want {
		b.t.Errorf("page %s: %s is %q, want %q", b.where, expression, got, want)
	}
}

// openAs starts a Chromium with a session and a preferred language.
func openAs(t *testing.T, f *fixture, role store.Role, language string) *browser {
	t.Helper()
	b := openBrowser(t, f)
	b.as(f.session(t, f.account(t, email, role)))
	b.speak(language)
	return b
}

// as sets the session of the browser.
func (b *browser) as(cookie *http.Cookie) {
	b.t.Helper()
	call(b, network.SetCookie, network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, URL: b.base})
}

// speak sets the preferred language of the browser.
func (b *browser) speak(language string) {
	b.t.Helper()
	call(b, network.Enable, network.EnableParams{})
	call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}})
}

// prefer sets the preferred colour scheme of the browser.
func (b *browser) prefer(scheme string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// keys presses keys one after the other.
func (b *browser) keys(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.do(chromedp.KeyEvent(key))
	}
}

const (
	plot     = `document.querySelector('.plot')`
	heading  = `document.querySelector('h1').textContent`
	position = plot + `.getAttribute('aria-valuenow') + '/' + ` + plot + `.getAttribute('aria-valuemax')`
	reading  = plot + `.getAttribute('aria-valuetext')`
)

func TestInABrowserOneSignsInAndReadsTheLongDayByKeyboard(t *testing.T) {
	t.Parallel()
	f, _ := withMarket(t)
	f.commit(t, marketOn(turnBack.Add(1)))
	f.refresh(t)
	must(t, f.auth.AddUser(t.Context(), email, password, true))
	b := openBrowser(t, f)
	b.speak("fr")
	b.open("/prix?from=2026-10-25")
	b.is("location.pathname", "/login")
	b.do(chromedp.SendKeys(chromedp.ID("email"), email), chromedp.SendKeys(chromedp.ID("password"), password))
	b.follow(chromedp.Click(chromedp.CSS("main button")))
	b.is("location.pathname + location.search", "/prix?from=2026-10-25")
	b.is(heading, "Dimanche 25\u00a0octobre\u00a02026")
	b.is(`document.querySelectorAll('#day-ahead-prices tbody tr').length`, "100")
	b.do(chromedp.Focus(chromedp.CSS(".plot")))
	b.keys(kb.Home)
	b.is(position, "1/100")
	b.is(reading, "00:00–00:15, Prix −20,00\u00a0€/MWh")
	b.keys(slices.Repeat([]string{kb.ArrowRight}, 9)...)
	b.is(reading, "02A:15–02A:30, Prix 173,125\u00a0€/MWh")
	b.keys(slices.Repeat([]string{kb.ArrowRight}, 4)...)
	b.is(position, "14/100")
	b.is(reading, "02B:15–02B:30, Prix 201,125\u00a0€/MWh")
	b.keys(kb.End)
	b.is(position, "100/100")
	b.is(reading, "23:45–00:00, Prix 23,375\u00a0€/MWh")
	hours := b.text(`[...document.querySelectorAll('.time')].map(label => label.textContent).join(' ')`)
	if !strings.Contains(hours, "02A 02B") || strings.Contains(hours, "02 ") {
		t.Errorf("the hours are %s", hours)
	}
	b.calm("/prix")

	b.follow(chromedp.Click(chromedp.CSS("a[rel=next]")))
	b.is(heading, "Lundi 26\u00a0octobre\u00a02026")
	b.do(chromedp.Focus(chromedp.CSS(".plot")))
	b.follow(chromedp.KeyEvent(kb.PageUp))
	b.is(heading, "Dimanche 25\u00a0octobre\u00a02026")
	b.do(chromedp.SetValue(chromedp.ID("from"), "2026-10-26"), chromedp.SetValue(chromedp.ID("to"), "2026-10-26"))
	b.follow(chromedp.Click(chromedp.CSS(".dates button")))
	b.is(heading, "Lundi 26\u00a0octobre\u00a02026")
	b.follow(chromedp.Click(chromedp.CSS("button[value=en]")))
	b.is("document.documentElement.lang", "en")
	b.is(heading, "Monday 26\u00a0October\u00a02026")
	b.calm("/prices")
}

func TestInABrowserTheCSVIsTheTable(t *testing.T) {
	t.Parallel()
	f, _ := withMarket(t)
	b := openAs(t, f, store.Administrator, "fr")
	b.open("/energie?from=2026-10-25")
	same := run(b, chromedp.Evaluate[string](`(async () => {
		const table = document.getElementById('mfrr-energy');
		const shown = [...table.tBodies[0].rows].map(row => [...row.querySelectorAll('td.number')].map(cell => cell.dataset.value ?? '–').join(';'));
		const lines = (await (await fetch(document.querySelector('a[href^="/csv/fr/mfrr-energy"]').href)).text()).trim().split('\r\n').slice(1);
		const written = lines.map(line => line.split(';').slice(4).map(field => field.replace(',', '.') || '–').join(';'));
		const differs = shown.findIndex((row, i) => row !== written[i]);
		return shown.length + ' ' + written.length + ' ' + differs;
	})()`, chromedp.EvalAwaitPromise))
	if same != "100 100 -1" {
		t.Errorf("rows of the table, of the CSV, and the first that differs: %s", same)
	}
	b.calm("/energie")
}

// Every value axis has its unit and 4 to 7 labels. The first and the last label enclose the values. Charts of one row stand on one line.
const (
	axes = `[...document.querySelectorAll('figure.chart')].filter(figure => {
		const of = name => [...figure.querySelectorAll(name)];
		const labels = of('.axis.value').map(text => +text.getAttribute('y') - 4), lines = of('.line, .mark').map(path => path.getBBox());
		return of('.axis.unit')[0].textContent !== figure.dataset.unit || labels.length < 4 || labels.length > 7 ||
			lines.some(box => box.y < Math.min(...labels) - 0.1 || box.y + box.height > Math.max(...labels) + 0.1);
	}).length`
	uneven = `[...document.querySelectorAll('.charts')].filter(row => new Set([...row.querySelectorAll('.plot')].map(p => p.offsetTop)).size > 1).length`
)

func TestInABrowserChartsShareOneCursorAndZoom(t *testing.T) {
	f, _ := withMarket(t)
	var batch market.Batch
	market.MFRR.Put(&batch, []market.MFRRStep{{Start: turnBack.Start().Unix(), Direction: market.Downward, ClearingPrice: market.Num(-5)}})
	f.commit(t, batch)
	f.refresh(t)
	b := openAs(t, f, store.Administrator, "en")
	b.do(chromedp.EmulateViewport(1440, 900))
	b.open("/energy?from=2026-10-25")
	b.is(axes, "0")
	b.is(uneven, "0")
	b.is(`document.querySelectorAll('.mark.s1.below').length`, "1") // the lone negative quarter of mFRR
	const dots = `[...document.querySelectorAll('.plot')].map(p => p.querySelectorAll('.cursor circle').length).join(' ')`
	b.do(chromedp.Focus(chromedp.CSS(".plot")))
	b.keys(kb.Home)
	b.is(dots, "1 1 2 1 2 1") // the lines that have a value at midnight, of each chart
	const numbers = `[...document.querySelectorAll('.plot')].map(p => p.getAttribute('aria-valuemax')).join(' ')`
	b.is(numbers, "300 300 100 100 100 100")

	b.keys("+")
	b.is(numbers, "150 150 50 50 50 50")
	b.keys(kb.Escape)
	b.is(numbers, "300 300 100 100 100 100")

	// A key of the legend takes a line away and brings it back: its part above zero, and that below.
	const lines = `document.querySelectorAll('.plot')[4].querySelectorAll('.line').length`
	const secondKey = "section:last-of-type button.key.s1"
	b.is(lines, "4")
	b.do(chromedp.Click(chromedp.CSS(secondKey)))
	b.is(lines, "2")
	b.is(`document.querySelector('`+secondKey+`').getAttribute('aria-pressed')`, "false")
	b.do(chromedp.Click(chromedp.CSS(secondKey)))
	b.is(lines, "4")

	// Dragging shows the periods that were dragged over.
	b.open("/prices?from=2026-10-25")
	b.is(axes, "0")
	b.is(`getComputedStyle(document.querySelector('.line.below')).stroke`, "rgb(179, 38, 30)") // red
	var box struct{ X, Y, Width, Height float64 }
	must(t, json.Unmarshal([]byte(b.text(`JSON.stringify(`+plot+`.getBoundingClientRect())`)), &box))
	y := box.Y + box.Height/2
	b.do(chromedp.DragAndDropXY(box.X+box.Width/4, y, box.X+box.Width/2, y, 4))
	zoomed := b.text(plot + `.getAttribute('aria-valuemax')`)
	if zoomed == "100" || zoomed == "0" {
		t.Errorf("after dragging over a quarter of it the chart shows %s periods", zoomed)
	}
	b.do(chromedp.MouseClickXY(box.X+box.Width/2, y, chromedp.ClickCount(2)))
	b.is(plot+`.getAttribute('aria-valuemax')`, "100")

	// Two fingers that move apart zoom in; a single one leaves its reading on show.
	touch := func(kind input.DispatchTouchEventType, at ...float64) {
		points := []*input.TouchPoint{}
		for i, part := range at {
			id := float64(i)
			points = append(points, &input.TouchPoint{X: box.X + box.Width*part, Y: y, ID: &id})
		}
		call(b, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points})
	}
	touch("touchStart", 0.4)
	touch("touchStart", 0.4, 0.6)
	touch("touchMove", 0.2, 0.8)
	touch("touchEnd")
	if pinched := b.text(plot + `.getAttribute('aria-valuemax')`); pinched < "30" || pinched > "40" {
		t.Errorf("after a pinch to three times the size the chart shows %s periods", pinched)
	}
	b.do(chromedp.Click(chromedp.CSS("[data-zoom=all]")))
	b.is(plot+`.getAttribute('aria-valuemax')`, "100")
	touch("touchStart", 0.5)
	touch("touchEnd")
	b.is(plot+`.querySelectorAll('.cursor circle').length`, "1")
	b.calm("/energy and /prices")
}

func TestInABrowserTheDocumentationIsTried(t *testing.T) {
	t.Parallel()
	f, _ := withMarket(t)
	b := openAs(t, f, store.Member, "en")
	b.open("/docs")
	b.is(`document.querySelectorAll('a[data-try]').length`, "2") // a member without subscription may try prices and their rows
	b.do(chromedp.Click(chromedp.CSS("a[data-try]")))
	tried := run(b, chromedp.Poll[string](`document.querySelector('[role=status]').textContent`))
	if !strings.HasPrefix(tried, "200, ") || !strings.Contains(b.text(`document.querySelector('#day-ahead-prices pre').textContent`), `"hour_start_utc": "2026-10-24T22:00:00.000Z"`) {
		t.Errorf("trying tells %q", tried)
	}
	b.is("location.pathname", "/docs")
	b.calm("/docs")
}

func TestInABrowserWithoutScriptTheTablesAreThere(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.commit(t, marketOn(market.DeliveryDateOf(noon)))
	f.refresh(t)
	b := openAs(t, f, store.Administrator, "fr")
	const shown = `['day-ahead-prices', 'afrr-energy', 'mfrr-energy'].map(id => document.getElementById(id).parentElement.clientWidth > 200).join(' ')`
	const plots = `[...document.querySelectorAll('.plot')].some(p => p.clientHeight > 0)`
	b.open("/")
	b.is(shown, "false false false")
	b.is(plots, "true")
	b.open("/#afrr-energy")
	b.is(shown, "false true false")
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.open("/")
	b.is(shown, "true true true")
	b.is(plots, "false")
	b.is(`[...document.querySelectorAll('.zoom, .keys')].some(p => p.clientHeight > 0)`, "false")
}

// TestInABrowserEveryPageIsSound opens every page at both widths, in both schemes and both languages.
func TestInABrowserEveryPageIsSound(t *testing.T) {
	f := open(t, reporting(inState("late")), func(o *api.Options) { o.OpenSignup, o.Offers = true, []web.Offer{{ID: "everything"}} })
	f.commit(t, marketOn(market.DeliveryDateOf(noon)))
	f.commit(t, marketOn(turnBack))
	f.refresh(t)
	b := openBrowser(t, f)
	axe := ""
	if folder := os.Getenv(axeFolder); folder != "" {
		script, err := os.ReadFile(filepath.Join(folder, "axe.min.js"))
		must(t, err)
		axe = string(script)
	} else {
		t.Run("accessibility", func(t *testing.T) { t.Skip(axeFolder + " does not name the folder of axe-core") })
	}
	key, err := f.auth.FirstLink(t.Context())
	must(t, err)
	guest := []string{"/login?next=%2Fcompte", "/docs", "/offres", "/mot-de-passe-oublie", "/inscription", api.LinkAddress("", key)}
	member := []string{"/", "/prix?from=2026-10-25", "/prices?from=2026-10-25&to=2026-10-27", "/capacite?from=2026-10-25", "/energie?from=2026-10-25", "/energy?from=2026-01-01", "/etat", "/docs",
		"/explorer?range=all&before=week&s=day-ahead-prices:price_eur_mwh&s=mfrr-energy:UPWARD:clearing_price_eur_mwh&s=afrr-energy:pdemand_mw",
		"/compte", "/docs/jetons", "/offers", "/administration", "/administration/comptes/1", "/admin/audit",
		"/alertes", "/alertes/1"}
	type view struct {
		width            int64
		scheme, language string
	}
	views := []view{{1440, "light", "fr"}, {390, "dark", "en"}, {390, "light", "fr"}, {1440, "dark", "en"}}
	look := func(who string, paths []string) {
		for _, view := range views {
			b.do(chromedp.EmulateViewport(view.width, 900))
			b.prefer(view.scheme)
			b.speak(view.language)
			for _, path := range paths {
				where := fmt.Sprintf("%s, %s, %d px, %s, %s", who, path, view.width, view.scheme, view.language)
				b.open(path)
				b.is("document.documentElement.lang", view.language)
				if wide := b.text("document.documentElement.scrollWidth"); wide != fmt.Sprint(view.width) {
					t.Errorf("%s: the page is %s px wide", where, wide)
				}
				b.accessible(where, axe)
				b.calm(where)
			}
		}
	}
	look("guest", guest)
	b.as(f.session(t, f.account(t, "anne@example.org", store.Member)))
	look("member without subscription", []string{"/", "/energie"})
	boris := f.account(t, "boris@example.org", store.Administrator)
	f.token(t, boris, nil)
	caller, err := f.auth.IdentityOf(t.Context(), boris.ID)
	must(t, err)
	alert, err := f.options.Hooks.Add(t.Context(), caller, hooks.Request{Events: []hooks.Event{{Type: hooks.PriceNegative, Dataset: market.DayAheadPrices}}})
	must(t, err)
	_, err = f.options.Hooks.SendTest(t.Context(), caller, alert.ID)
	must(t, err)
	b.as(f.session(t, boris))
	look("administrator", append(member, web.EndAlertAddress(web.French, alert.ID, hooks.EndKey(alert))))
}

// accessible runs axe-core on the page.
func (b *browser) accessible(where, axe string) {
	b.t.Helper()
	if axe == "" {
		return
	}
	b.do(chromedp.Evaluate[chromedp.Void](axe + ";undefined"))
	found := run(b, chromedp.Evaluate[[]string](`axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
		.then(result => result.passes.length === 0 ? ['nothing was checked'] : result.violations.flatMap(v => v.nodes.map(node => v.id + ': ' + node.html + ' ' + node.failureSummary)))`, chromedp.EvalAwaitPromise))
	for _, violation := range found {
		b.t.Errorf("%s: %s", where, violation)
	}
}

func TestInABrowserAPageListensToTheStreamAndComesAgainForWhatItMissed(t *testing.T) {
	f := openStream(t)
	b := openAs(t, f.fixture, store.Administrator, "en")
	t.Cleanup(f.EndStreams)
	b.open("/")
	b.text(`(() => {
		window.heard = []; const stream = new EventSource("/api/stream?datasets=day-ahead-prices");
		stream.addEventListener("rows", e => window.heard.push(e.lastEventId + ":" + JSON.parse(e.data).rows.length));
		stream.onopen = () => { window.opened = true };
	})()`)
	run(b, chromedp.Poll[bool](`window.opened`))
	f.commit(t, quarterPrices(0, 2, 1))
	f.refresh(t)
	run(b, chromedp.Poll[bool](`String(window.heard) == "1:2"`))
	f.LetListenersGo()
	f.commit(t, quarterPrices(2, 3, 1))
	run(b, chromedp.Poll[bool](`String(window.heard) == "1:2,2:3"`))
}

func TestInABrowserExploringZoomsToFinerRowsAndSavesTheChart(t *testing.T) {
	t.Parallel()
	f, _ := withTwoMarkets(t)
	b := openAs(t, f, store.Administrator, "en")
	b.do(chromedp.EmulateViewport(1440, 900))
	day := turnBack.Add(1).Period()
	b.open(fmt.Sprintf("/explore?range=all&before=day&zoom=%d-%d", day.Start, day.End))
	// The range is drawn in hours; the day that the address zooms to is read again in quarter hours.
	run(b, chromedp.Poll[bool](plot+`.getAttribute('aria-valuemax') === '96'`))
	b.is(axes, "0")
	b.is(uneven, "0")
	b.do(chromedp.Focus(chromedp.CSS(".plot")))
	b.keys(slices.Concat([]string{kb.Home}, slices.Repeat([]string{kb.ArrowRight}, 12))...)
	// At 03:00 the day of 25 hours had its seventeenth quarter.
	b.is(reading, "26 Oct 03:00–03:15, Day-ahead prices 64.00\u00a0€/MWh, Day-ahead prices, day before 92.00\u00a0€/MWh")
	b.keys(slices.Repeat([]string{kb.ArrowLeft}, 4)...)
	// Its second 02:00 is left out.
	b.is(reading, "26 Oct 02:00–02:15, Day-ahead prices 36.00\u00a0€/MWh, Day-ahead prices, day before 36.00\u00a0€/MWh")
	b.is(`[...document.querySelectorAll('.plot svg path.line.before')].map(line => line.getAttribute('d').match(/H/g).length).join(' ')`, "96 96")

	const saved = `(async kind => {
		const {click} = HTMLAnchorElement.prototype, {createObjectURL} = URL;
		let file;
		URL.createObjectURL = blob => createObjectURL.call(URL, file = blob);
		const link = new Promise(resolve => HTMLAnchorElement.prototype.click = function () { resolve(this); });
		document.querySelector('[data-save=' + kind + ']').click();
		const {download} = await link;
		Object.assign(HTMLAnchorElement.prototype, {click});
		Object.assign(URL, {createObjectURL});
		const bytes = new Uint8Array(await file.arrayBuffer());
		return download + ' ' + new TextDecoder().decode(bytes.slice(0, 4)) + ' ' + (bytes.length > 2000);
	})`
	for kind, want := range map[string]string{"svg": ".svg <svg true", "png": ".png \ufffdPNG true"} {
		got := run(b, chromedp.Evaluate[string](saved+`('`+kind+`')`, chromedp.EvalAwaitPromise))
		if !strings.HasSuffix(got, want) {
			t.Errorf("saved as %s it is %q, want %q", kind, got, want)
		}
	}
	b.is(`new URLSearchParams(location.search).get('zoom')`, fmt.Sprintf("%d-%d", day.Start, day.End))
	b.do(chromedp.Click(chromedp.CSS("button.key.before")))
	const inAddress = `new URLSearchParams(document.querySelector('footer input[name=next]').value.split('?')[1])`
	b.is(inAddress+`.get('off') + ' ' + `+inAddress+`.get('before')`, exploredPrices+":before day")
	b.do(chromedp.Click(chromedp.CSS("[data-zoom=all]")))
	b.is(`new URLSearchParams(location.search).get('zoom')`, "null")
	b.is(plot+`.getAttribute('aria-valuemax')`, "96") // hours: 23, 24, 25 and 24

	// The map has the hours that each day has: both of 02:00 as halves, or none. On a phone it fits.
	b.do(chromedp.EmulateViewport(390, 844))
	b.speak("fr")
	b.open("/explorer?from=2026-10-25&to=2026-10-26")
	b.is("document.documentElement.scrollWidth", "390")
	b.is(axes, "0")
	if hours := b.text(`[...document.querySelectorAll('.time')].map(label => label.textContent).join(' ')`); !strings.Contains(hours, "02A 02B") {
		t.Errorf("the hours of the days are %s", hours)
	}
	b.is(`[...document.querySelectorAll('.heat .cells:not(.swatch)')].reduce((n, path) => n + path.getAttribute('d').split('Z').length - 1, 0)`, "49")
	b.calm("/explore")
}
