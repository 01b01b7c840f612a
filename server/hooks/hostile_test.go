package hooks_test

import (
	"io"
	"net/http"
	"testing"

	"courant/server/hooks"
	"courant/store"
	"courant/store/market"
)

// switchProtocols answers 101 and then nothing: the connection is the caller's from then on, without a time limit.
func switchProtocols(w http.ResponseWriter, _ *http.Request) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n")
	_ = buffered.Flush()
	_, _ = io.Copy(io.Discard, conn)
}

func TestAReceiverThatSwitchesProtocolsIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.receiver.answer = switchProtocols
	hook := f.add(t, event(hooks.DateComplete, market.DayAheadPrices, nil))
	f.commit(t, prices(day, 1, nil))
	f.step(t)
	if d := f.delivery(t, hook); d.Outcome != store.DeliveryWaiting || d.Status != 101 || d.Fault != "status" {
		t.Errorf("%+v", d)
	}
}
