package disk

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
)

func TestARestoreLeavesTheReserveFree(t *testing.T) {
	room := RoomForRestore(filepath.Join(t.TempDir(), "courant.db"))
	if err := room(0); err != nil {
		t.Errorf("nothing takes too much: %v", err)
	}
	for _, bytes := range []uint64{1 << 62, math.MaxUint64} {
		if err := room(bytes); err == nil || !strings.Contains(err.Error(), "and 64 stay free: free some space") {
			t.Errorf("%d bytes: %v", bytes, err)
		}
	}
}
