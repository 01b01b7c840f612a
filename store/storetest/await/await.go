// Package await gives tests waits that end: what does not come fails the test within seconds, and by name. Tests alone import it.
package await

import (
	"context"
	"runtime"
	"testing"
	"time"
)

// Limit is how long a wait may last. What is waited for comes in milliseconds; the rest is for a machine that is busy.
const Limit = 10 * time.Second

// Value returns the next value of a channel, or the zero value of one that is closed. Only the test's own goroutine may call it.
func Value[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(Limit):
		t.Fatalf("nothing has come within %s", Limit)
		panic("unreachable")
	}
}

// Send hands a value over, from any goroutine. If it is not received, the test fails.
func Send[T any](t testing.TB, to chan<- T, value T) {
	t.Helper()
	select {
	case to <- value:
	case <-t.Context().Done():
	case <-time.After(Limit):
		t.Errorf("%v was not received within %s", value, Limit)
	}
}

// Context returns the test's context with the limit, for waits that take one, such as those on a clock.
func Context(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), Limit)
	t.Cleanup(cancel)
	return ctx
}

// True waits until a condition holds that others are about to bring about.
func True(t testing.TB, holds func() bool) {
	t.Helper()
	for begun := time.Now(); !holds(); runtime.Gosched() {
		if time.Since(begun) > Limit {
			t.Fatalf("it does not hold within %s", Limit)
		}
	}
}
