package await_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"courant/store/storetest/await"
)

// judged is a test whose failure is looked at.
type judged struct {
	testing.TB
	failure string
}

func (j *judged) Helper() {}
func (j *judged) Errorf(format string, args ...any) {
	j.failure = fmt.Sprintf(format, args...)
}
func (j *judged) Fatalf(format string, args ...any) {
	j.Errorf(format, args...)
	runtime.Goexit()
}

func TestAWaitForWhatNeverComesFailsWithinSeconds(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]func(testing.TB){
		"nothing has come":   func(t testing.TB) { await.Value(t, make(chan int)) },
		"7 was not received": func(t testing.TB) { await.Send(t, make(chan int), 7) },
		"context deadline exceeded": func(t testing.TB) {
			ctx := await.Context(t)
			<-ctx.Done()
			t.Errorf("%v within %s", ctx.Err(), await.Limit)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test := &judged{TB: t}
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					wait(test)
				}()
				<-ended
				if !strings.HasPrefix(test.failure, name) || !strings.HasSuffix(test.failure, " within 10s") {
					t.Errorf("the test says %q", test.failure)
				}
			})
		})
	}
}

func TestAWaitEndsWithWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	values := make(chan int)
	go await.Send(t, values, 7)
	if got := await.Value(t, values); got != 7 {
		t.Errorf("%d", got)
	}
	looks := 0
	await.True(t, func() bool { looks++; return looks == 3 })
	if looks != 3 {
		t.Errorf("%d looks", looks)
	}
}
