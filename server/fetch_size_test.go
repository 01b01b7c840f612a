package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"courant/server/command"
	"courant/store/market"
)

// mostBytesPerStep is what a 4 s step may take on the disk, everything else in the file included.
const mostBytesPerStep = 16

func TestAFetchOfStepsLeavesASmallFile(t *testing.T) {
	moveIn(t, time.Now)
	today := market.DeliveryDateOf(time.Now())
	first, last := today.Add(-8), today.Add(-1)
	fetch := startProgram(t, "courant-hasty", nil, false, "fetch", "afrr-energy", "--from", first.String(), "--to", last.String())
	if code := fetch.finish(); code != command.ExitDone {
		t.Fatalf("the fetch exits with %d", code)
	}
	rows := int64(0)
	for _, date := range market.Dates(first, last) {
		rows += int64(date.Steps(market.AFRRSeconds))
	}
	// The last of those who had the file open has taken the write-ahead log into it.
	left := must(filepath.Glob("courant.db*"))(t)
	if got := fmt.Sprint(left); strings.Contains(got, "-wal") {
		t.Fatalf("left are %s", got)
	}
	file := must(os.Stat("courant.db"))(t)
	if file.Size() > mostBytesPerStep*rows {
		t.Errorf("%d bytes for %d rows", file.Size(), rows)
	}
	t.Logf("%.2f bytes a row", float64(file.Size())/float64(rows))
}
