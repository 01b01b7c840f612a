package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"courant/auth"
	"courant/store/storetest/await"
)

// hasher replaces Argon2id: it records what is hashed, and each hashing takes until the test ends it.
type hasher struct {
	mu     sync.Mutex
	hashed []string // passwords, which identify the attempts in these tests
	done   chan struct{}
}

// watchHashing replaces the hashing of a fixture. Only the right password matches.
func (f *fixture) watchHashing() *hasher {
	h := &hasher{done: make(chan struct{})}
	f.Compare(func(attempt, _ string) (bool, error) {
		h.mu.Lock()
		h.hashed = append(h.hashed, attempt)
		h.mu.Unlock()
		<-h.done
		return attempt == password, nil
	})
	return h
}

func (h *hasher) attempts() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.hashed)
}

// attempt is an attempt to sign in that is in progress.
type attempt struct {
	cancel context.CancelFunc
	result chan error
}

// begin starts an attempt to sign in.
func (f *fixture) begin(ctx context.Context, email, password string) attempt {
	ctx, cancel := context.WithCancel(ctx)
	a := attempt{cancel, make(chan error, 1)}
	go func() {
		_, err := f.SignIn(ctx, email, password)
		a.result <- err
	}()
	return a
}

// queue starts attempts one after the other, behind one that is being hashed. Each is named by its origin and a letter or number.
func (f *fixture) queue(t *testing.T, h *hasher, names ...string) []attempt {
	t.Helper()
	attempts := []attempt{f.begin(from(t, "198.51.100.1"), "first@example.org", "first")}
	await.True(t, func() bool { return len(h.attempts()) == 1 })
	for i, name := range names {
		attempts = append(attempts, f.begin(from(t, "192.0.2."+name[:1]), name+"@example.org", name))
		await.True(t, func() bool { return f.Waiting() == i+1 })
	}
	return attempts
}

// finish lets all hashings end and returns the results of the attempts.
func (h *hasher) finish(t *testing.T, attempts []attempt) (results []error) {
	t.Helper()
	close(h.done)
	for _, a := range attempts {
		results = append(results, await.Value(t, a.result))
	}
	return results
}

func limited(err error) *auth.LimitedError {
	var limited *auth.LimitedError
	errors.As(err, &limited)
	return limited
}

func TestOriginsTakeTurnsNewestFirst(t *testing.T) {
	t.Parallel()
	f := openEmpty(t)
	h := f.watchHashing()
	h.finish(t, f.queue(t, h, "1-a", "1-b", "1-c", "2-a", "2-b", "3-a"))
	want := []string{"first", "3-a", "2-a", "1-a", "2-b", "1-b", "1-c"}
	if diff := cmp.Diff(want, h.attempts()); diff != "" {
		t.Errorf("hashed (-want +got):\n%s", diff)
	}
}

func TestAnOriginWithManyRecentRequestsIsServedLast(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		pause time.Duration
		want  []string
	}{
		{"at once", 0, []string{"first", "1-a", "2-a"}},
		{"20 minutes later", 20 * time.Minute, []string{"first", "2-a", "1-a"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := openEmpty(t)
			for range 3 {
				f.waits(t, "nobody@example.org", "wrong", "192.0.2.2")
			}
			f.clock.Advance(row.pause)
			h := f.watchHashing()
			h.finish(t, f.queue(t, h, "1-a", "2-a"))
			if diff := cmp.Diff(row.want, h.attempts()); diff != "" {
				t.Errorf("hashed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFullQueueDropsARequestOfTheBusiestOrigin(t *testing.T) {
	t.Parallel()
	f := openEmpty(t)
	h := f.watchHashing()
	var names []string
	for i := range auth.MaxWaiting - 1 {
		names = append(names, fmt.Sprintf("1-%d", i))
	}
	attempts := f.queue(t, h, append([]string{"2-a"}, names...)...)
	_, err := f.SignIn(from(t, "192.0.2.1"), "more@example.org", "more")
	if l := limited(err); l == nil || l.Wait != time.Second || l.Delay == 0 {
		t.Errorf("one more of the same origin: %v", err)
	}
	newest := f.begin(from(t, "192.0.2.3"), "newest@example.org", "newest")
	last := len(attempts) - 1
	if err := await.Value(t, attempts[last].result); limited(err) == nil {
		t.Errorf("the attempt dropped for another origin gets %v", err)
	}
	h.finish(t, append(attempts[:last:last], newest))
	hashed := h.attempts()
	if len(hashed) != auth.MaxWaiting+1 || !slices.Equal(hashed[:4], []string{"first", "newest", names[0], "2-a"}) {
		t.Errorf("hashed are %v", hashed)
	}
	if f.Failures("192.0.2.1") != auth.MaxWaiting-2 {
		t.Errorf("%d failures of the origin are counted", f.Failures("192.0.2.1"))
	}
}

func TestAFullQueueOfEqualOriginsDropsTheOldestRequest(t *testing.T) {
	t.Parallel()
	f := openEmpty(t)
	h := f.watchHashing()
	attempts := f.queue(t, h)
	for i := range auth.MaxWaiting {
		name := fmt.Sprintf("%d", i)
		attempts = append(attempts, f.begin(from(t, "192.0.2."+name), name+"@example.org", name))
		await.True(t, func() bool { return f.Waiting() == i+1 })
	}
	newest := f.begin(from(t, "203.0.113.1"), "newest@example.org", "newest")
	if err := await.Value(t, attempts[1].result); limited(err) == nil {
		t.Errorf("the oldest of the waiting requests gets %v", err)
	}
	h.finish(t, append(slices.Delete(attempts, 1, 2), newest))
	if hashed := h.attempts(); len(hashed) != auth.MaxWaiting+1 || hashed[1] != "newest" || slices.Contains(hashed, "0") {
		t.Errorf("hashed are %v", hashed)
	}
}

func TestARequestThatNoLongerWaitsIsNotHashed(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(f *fixture, a attempt) error{
		"the client has gone": func(_ *fixture, a attempt) error { a.cancel(); return context.Canceled },
		"it waits too long": func(f *fixture, a attempt) error {
			f.clock.Advance(auth.MaxWait)
			return &auth.LimitedError{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := openEmpty(t)
			h := f.watchHashing()
			attempts := f.queue(t, h, "1-a")
			must(t, f.clock.BlockUntilContext(await.Context(t), 1))
			want := end(f, attempts[1])
			if err := await.Value(t, attempts[1].result); !errors.Is(err, want) && (limited(want) == nil || limited(err) == nil) {
				t.Errorf("SignIn = %v, want %v", err, want)
			}
			h.finish(t, attempts[:1])
			if got := h.attempts(); len(got) != 1 || f.Waiting() != 0 || f.Failures("192.0.2.1") != 0 {
				t.Errorf("hashed %v; %d are waiting and %d failures are counted", got, f.Waiting(), f.Failures("192.0.2.1"))
			}
		})
	}
}

func TestThePauseAfterAHashingGrowsWithTheRecentRequestsOfTheNextOrigin(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ asked, milliseconds int }{{0, 40}, {4, 80}, {10, 140}, {29, 320}} {
		t.Run(fmt.Sprint(row.asked), func(t *testing.T) {
			f := openEmpty(t)
			for i := range row.asked {
				f.waits(t, fmt.Sprintf("nobody%d@example.org", i), "wrong", "192.0.2.1")
			}
			h := f.watchHashing()
			attempts := f.queue(t, h, "1-a")
			f.clock.Advance(40 * time.Millisecond)
			h.done <- struct{}{}
			await.Value(t, attempts[0].result)
			must(t, f.clock.BlockUntilContext(await.Context(t), 2)) // timers: the longest wait of the other attempt, and the pause
			f.clock.Advance(time.Duration(row.milliseconds-1) * time.Millisecond)
			if f.Waiting() != 1 {
				t.Error("the pause is shorter")
			}
			f.clock.Advance(time.Millisecond)
			await.True(t, func() bool { return len(h.attempts()) == 2 })
			h.finish(t, attempts[1:])
		})
	}
}

func TestAnotherOriginEndsALongPause(t *testing.T) {
	t.Parallel()
	f := openEmpty(t)
	for range 9 {
		f.waits(t, "nobody@example.org", "wrong", "192.0.2.1")
	}
	h := f.watchHashing()
	attempts := f.queue(t, h, "1-a")
	f.clock.Advance(40 * time.Millisecond)
	h.done <- struct{}{}
	await.Value(t, attempts[0].result)
	must(t, f.clock.BlockUntilContext(await.Context(t), 2))
	f.clock.Advance(40 * time.Millisecond)
	other := f.begin(from(t, "192.0.2.2"), "2-a@example.org", "2-a")
	await.True(t, func() bool { return len(h.attempts()) == 2 })
	if got := h.attempts(); got[1] != "2-a" {
		t.Errorf("hashed are %v", got)
	}
	attempts[1].cancel()
	await.Value(t, attempts[1].result)
	h.finish(t, []attempt{other})
}

func TestAnOriginWithTooManyFailuresIsRefusedBeforeHashing(t *testing.T) {
	t.Parallel()
	f := open(t)
	h := f.watchHashing()
	close(h.done)
	fail := func(i int, origin string) time.Duration {
		return f.waits(t, fmt.Sprintf("nobody%d@example.org", i), "wrong", origin)
	}
	for i := range auth.MaxFailuresOfOrigin {
		if wait := fail(i, fmt.Sprintf("2001:db8::%x", i)); wait != 0 {
			t.Fatalf("attempt %d has to wait for %s", i+1, wait)
		}
	}
	hashed := len(h.attempts())
	_, err := f.SignIn(from(t, "2001:db8::ffff"), member, password)
	if l := limited(err); l == nil || l.Wait != 15*time.Minute {
		t.Errorf("one more: %v", err)
	}
	if len(h.attempts()) != hashed {
		t.Error("it is hashed")
	}
	if wait := fail(100, "2001:db8:0:1::1"); wait != 0 {
		t.Errorf("another network has to wait for %s", wait)
	}
	f.clock.Advance(15 * time.Minute)
	if wait := fail(101, "2001:db8::1"); wait != 0 {
		t.Errorf("15 minutes later it has to wait for %s", wait)
	}
}

func TestAnIPv4AddressIsOneOriginHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	f := open(t)
	for range 10 {
		f.waits(t, member, "not the password", "192.0.2.1")
	}
	if wait := f.waits(t, member, "not the password", "::ffff:192.0.2.1"); wait != 15*time.Minute {
		t.Errorf("has to wait for %s", wait)
	}
}

func TestRefusalsOfAPersistentOriginAreDelayed(t *testing.T) {
	t.Parallel()
	f := openEmpty(t)
	delayed := 0
	for i := range 2 * auth.DelayThreshold {
		_, err := f.SignIn(from(t, "192.0.2.1"), fmt.Sprintf("nobody%d@example.org", i), "wrong")
		if l := limited(err); l != nil && l.Delay > 0 {
			delayed++
		}
	}
	if delayed != auth.DelayThreshold {
		t.Errorf("%d are delayed, want %d", delayed, auth.DelayThreshold)
	}
	for range 15 {
		f.waits(t, "anne@example.org", "wrong", "192.0.2.2")
	}
	if _, err := f.SignIn(from(t, "192.0.2.2"), "anne@example.org", "wrong"); limited(err) == nil || limited(err).Delay != 0 {
		t.Errorf("after fifteen failures, a person gets %v", err)
	}
}

func TestCommandsAreNotLimited(t *testing.T) {
	t.Parallel()
	f := open(t)
	for range 2 * auth.MaxFailuresOfOrigin {
		must(t, f.SetPassword(t.Context(), member, "another good phrase"))
	}
}

func TestFillingTheMemoryDoesNotResetALimit(t *testing.T) {
	t.Parallel()
	f := open(t)
	for range 10 {
		f.waits(t, member, "not the password", "192.0.2.1")
	}
	f.FillAttempts(auth.MaxAttemptKeys + 1000)
	if wait := f.waits(t, member, "not the password", "192.0.2.1"); wait == 0 {
		t.Error("filling the memory reset the limit of another origin")
	}
}

// device returns the device cookie of a browser that has signed in to an account.
func (f *fixture) device(t *testing.T, email string) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	f.RememberDevice(w, request(t, nil), f.account(t, email))
	return onlyCookie(t, w)
}

// with returns the context of a request from an address with a cookie.
func (f *fixture) with(t *testing.T, origin string, cookie *http.Cookie) context.Context {
	return f.WithDevice(request(t, cookie).WithContext(from(t, origin)))
}

func TestTheDeviceCookie(t *testing.T) {
	f := open(t)
	for _, secure := range []bool{false, true} {
		w := httptest.NewRecorder()
		f.configured(offers, secure).RememberDevice(w, request(t, nil), f.account(t, member))
		got, name := onlyCookie(t, w), "courant_device"
		if secure {
			name = "__Host-courant_device"
		}
		if got.Name != name || got.Path != "/" || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || got.Secure != secure ||
			got.MaxAge != 180*24*60*60 || got.Domain != "" || strings.Contains(got.Value, "anne") {
			t.Errorf("cookie %s", got)
		}
	}
}

// flooded returns a fixture in which strangers from 192.0.2.1 have used up their attempts.
func flooded(t *testing.T) *fixture {
	f := open(t)
	for i := range auth.MaxFailuresOfOrigin {
		f.waits(t, fmt.Sprintf("nobody%d@example.org", i), "wrong", "192.0.2.1")
	}
	return f
}

func TestAKnownDeviceDoesNotWaitForStrangers(t *testing.T) {
	t.Parallel()
	f := flooded(t)
	cookie := f.device(t, member)
	f.HashAtOnce(2)
	h := f.watchHashing()
	strangers := f.queue(t, h, "2-a", "2-b", "3-a")
	known := f.begin(f.with(t, "192.0.2.1", cookie), member, password)
	await.True(t, func() bool { return slices.Equal(h.attempts(), []string{"first", password}) })
	h.finish(t, strangers)
	must(t, await.Value(t, known.result))
	if _, err := f.SignIn(f.with(t, "192.0.2.1", cookie), member, password); err != nil {
		t.Errorf("with the cookie: %v", err)
	}
	if _, err := f.SignIn(from(t, "192.0.2.1"), member, password); limited(err) == nil {
		t.Errorf("without it: %v", err)
	}
}

func TestADeviceCookieIsValidForItsAccountOnly(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(f *fixture, cookie *http.Cookie){
		"nothing is changed":   nil,
		"the password changes": func(f *fixture, _ *http.Cookie) { must(t, f.SetPassword(t.Context(), member, password)) },
		"the account was disabled": func(f *fixture, _ *http.Cookie) {
			_, err := f.Disable(t.Context(), member)
			must(t, err)
			must(t, f.Enable(t.Context(), member))
		},
		"180 days go by":                 func(f *fixture, _ *http.Cookie) { f.clock.Advance(180 * 24 * time.Hour) },
		"it is the one of somebody else": func(f *fixture, cookie *http.Cookie) { *cookie = *f.device(t, admin) },
		"it is given another account": func(f *fixture, cookie *http.Cookie) {
			cookie.Value = "1" + strings.TrimLeft(f.device(t, admin).Value, "0123456789")
		},
		"its end is put off": func(_ *fixture, cookie *http.Cookie) { cookie.Value = strings.Replace(cookie.Value, ".1", ".9", 1) },
		"its code is cut":    func(_ *fixture, cookie *http.Cookie) { cookie.Value = cookie.Value[:len(cookie.Value)-2] },
		"its code is another": func(_ *fixture, cookie *http.Cookie) {
			cookie.Value = cookie.Value[:len(cookie.Value)-64] + strings.Repeat("0", 64)
		},
		"it is empty":                    func(_ *fixture, cookie *http.Cookie) { cookie.Value = "" },
		"its account is beyond a number": func(_ *fixture, cookie *http.Cookie) { cookie.Value = strings.Repeat("9", 18) + cookie.Value[1:] },
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			cookie := f.device(t, member)
			if spoil != nil {
				spoil(f, cookie)
			}
			for i := range auth.MaxFailuresOfOrigin {
				f.waits(t, fmt.Sprintf("nobody%d@example.org", i), "wrong", "192.0.2.1")
			}
			_, err := f.SignIn(f.with(t, "192.0.2.1", cookie), member, password)
			if known := limited(err) == nil; known != (spoil == nil) {
				t.Errorf("SignIn = %v", err)
			}
		})
	}
}

func TestSigningInAgainKeepsTheNameOfTheDevice(t *testing.T) {
	f := open(t)
	cookie := f.device(t, member)
	name := func(cookie *http.Cookie) string { return strings.Split(cookie.Value, ".")[2] }
	f.clock.Advance(time.Hour)
	w := httptest.NewRecorder()
	f.RememberDevice(w, request(t, cookie), f.account(t, member))
	if again := onlyCookie(t, w); name(again) != name(cookie) || again.Value == cookie.Value {
		t.Errorf("%s becomes %s", cookie.Value, again.Value)
	}
	w = httptest.NewRecorder()
	f.RememberDevice(w, request(t, cookie), f.account(t, admin))
	if other := onlyCookie(t, w); name(other) == name(cookie) {
		t.Error("two accounts share the name of a device")
	}
}

func TestAStolenDeviceCookieGivesTenAttempts(t *testing.T) {
	t.Parallel()
	f := flooded(t)
	cookie := f.device(t, member)
	for i := range 10 {
		if _, err := f.SignIn(f.with(t, "192.0.2.1", cookie), member, "wrong"); !errors.Is(err, auth.ErrBadCredentials) {
			t.Fatalf("attempt %d: %v", i+1, err)
		}
	}
	if _, err := f.SignIn(f.with(t, "192.0.2.1", cookie), member, password); limited(err) == nil {
		t.Errorf("one more: %v", err)
	}
	// That does not keep the owner out on another device.
	if _, err := f.SignIn(f.with(t, "192.0.2.1", f.device(t, member)), member, password); err != nil {
		t.Errorf("the owner: %v", err)
	}
}

func TestAKnownDeviceSignsInAfterStrangersUsedUpTheAttempts(t *testing.T) {
	t.Parallel()
	f := open(t)
	cookie := f.device(t, member)
	for i := range 100 {
		f.waits(t, member, "not the password", fmt.Sprintf("192.0.2.%d", i))
	}
	if _, err := f.SignIn(from(t, "198.51.100.1"), member, password); limited(err) == nil {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := f.SignIn(f.with(t, "198.51.100.1", cookie), member, password); err != nil {
		t.Errorf("the known device: %v", err)
	}
}

func TestASignedInUserChangesThePasswordDuringAFlood(t *testing.T) {
	t.Parallel()
	f := flooded(t)
	ctx := auth.WithActor(t.Context(), auth.Actor{Email: member, Origin: "192.0.2.1"})
	if _, err := f.ChangePassword(ctx, member, password, "another good phrase"); err != nil {
		t.Error(err)
	}
	for i := range 11 {
		_, err := f.ChangePassword(ctx, member, "wrong", "another good phrase")
		if is := limited(err) != nil; is != (i == 10) {
			t.Errorf("attempt %d: %v", i+1, err)
		}
	}
}

func TestALinkWorksDuringAFloodAndGuessingLinksIsLimited(t *testing.T) {
	t.Parallel()
	f := flooded(t)
	secret, err := f.PasswordLink(t.Context(), member)
	must(t, err)
	if _, err := f.UseLink(from(t, "192.0.2.1"), secret, "", "another good phrase"); err != nil {
		t.Errorf("a link that is good: %v", err)
	}
	if _, err := f.UseLink(from(t, "192.0.2.1"), secret, "", "another good phrase"); limited(err) == nil {
		t.Errorf("one that is not, behind the flood: %v", err)
	}
	for i := range auth.MaxFailuresOfOrigin + 1 {
		_, err := f.UseLink(from(t, "192.0.2.2"), strings.Repeat("A", 52), "", "another good phrase")
		if is := limited(err) != nil; is != (i == auth.MaxFailuresOfOrigin) {
			t.Errorf("guess %d: %v", i+1, err)
		}
	}
}
