package server_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"courant/ingest/simulator"
	"courant/server/command"
	"courant/store"
	"courant/store/market"
)

// litestreamConfig is that of docs/operations.md, with a database and a folder of this machine.
const litestreamConfig = `
dbs:
  - path: %s
    replica: {type: file, path: %s}
`

// mostRestores is how often the copy is looked at before it counts as one that does not come along.
const mostRestores = 300

// A service and a fetch write while Litestream copies what they commit, and the log is emptied after each run as it is each night. All
// of them are killed in the middle of a fetch. A second machine, which has nothing but the copy, serves, fetches and is copied on.
func TestASecondMachineTakesOverFromWhatLitestreamCopied(t *testing.T) {
	litestream, err := exec.LookPath("litestream")
	if err != nil {
		t.Skip("NOT TESTED: no litestream on PATH")
	}
	sources, err := simulator.Start(simulator.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer sources.Close()
	for name, value := range simulatedSources(sources) {
		t.Setenv(name, value)
	}
	first, second := t.TempDir(), t.TempDir()
	t.Chdir(first)
	original, replica := filepath.Join(first, "courant.db"), filepath.Join(t.TempDir(), "copy")
	environ := []string{"COURANT_LOG_LEVEL=info", "COURANT_LOG_FORMAT=json"}
	service := startProgram(t, "courant-hasty", environ, true, "serve")
	service.await(`"msg":"serving"`)
	copying := startLitestream(t, litestream, original, replica)
	db, err := store.Open(t.Context(), original)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	fetch := func(from, to market.DeliveryDate) *process {
		return startProgram(t, "courant-hasty", environ, true, "fetch", "all", "--from", from.String(), "--to", to.String(), "--force")
	}
	maintain := func(p *process) (ran bool) {
		t.Helper()
		for p.lines.Scan() {
			if strings.Contains(p.lines.Text(), `"msg":"feed run"`) {
				if err := db.Maintain(t.Context()); err != nil {
					t.Fatal(err)
				}
				return true
			}
		}
		return false
	}

	today := market.DeliveryDateOf(time.Now())
	done := fetch(today.Add(-12), today.Add(-7))
	for maintain(done) {
	}
	if code := done.finish(); code != command.ExitDone {
		t.Fatalf("the fetch exits with %d", code)
	}
	looks := awaitCopy(t, litestream, original, replica)

	cut := fetch(today.Add(-6), today.Add(-1))
	for range 8 {
		maintain(cut)
	}
	for _, p := range []*process{service, cut, copying} {
		p.end(os.Kill)
	}
	t.Chdir(second)
	if err := os.Rename(restoreCopy(t, litestream, replica), "courant.db"); err != nil {
		t.Fatal(err)
	}
	before := checkBatches(t)
	t.Chdir(first)
	after := checkBatches(t)
	if before > after {
		t.Errorf("the copy has %d runs, the original %d", before, after)
	}
	t.Chdir(second)
	t.Logf("whole after %d looks; of %d runs, the last %d were not copied when all was killed", looks, after, after-before)

	service = startProgram(t, "courant-hasty", environ, true, "serve")
	address := service.await(`"msg":"serving","address":"([^"]+)"`)[1]
	get(t, address+"/readyz", "", func(response *http.Response, _ []byte) bool { return response.StatusCode == http.StatusOK })
	if code := startProgram(t, "courant-hasty", environ, false, "fetch", "all", "--from", today.Add(-12).String(), "--to", today.Add(-1).String()).finish(); code != command.ExitDone {
		t.Fatalf("the fetch on the second machine exits with %d", code)
	}
	copying = startLitestream(t, litestream, filepath.Join(second, "courant.db"), replica)
	awaitCopy(t, litestream, filepath.Join(second, "courant.db"), replica)
	copying.end(os.Interrupt)
	if code := service.end(os.Interrupt); code != command.ExitDone {
		t.Errorf("the service on the second machine exits with %d", code)
	}
	checkBatches(t)
	checkWhole(t, today.Add(-12), today.Add(-1))
}

// startLitestream has it copy from the one to the other.
func startLitestream(t *testing.T, litestream, original, replica string) *process {
	t.Helper()
	config := filepath.Join(t.TempDir(), "litestream.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, litestreamConfig, original, replica), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), litestream, "replicate", "-config", config)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t, cmd, bufio.NewScanner(out)}
	p.await("replicating to")
	return p
}

// awaitCopy compares the copy with the original until they are the same, and returns how often it did.
func awaitCopy(t *testing.T, litestream, original, replica string) (looks int) {
	t.Helper()
	differ := ""
	for looks = range mostRestores {
		if differ = differences(t, original, restoreCopy(t, litestream, replica)); differ == "" {
			return looks + 1
		}
	}
	t.Fatalf("the copy differs in %s", differ)
	return looks
}

// restoreCopy is a database made of the copy; empty if there is no whole copy at this moment.
func restoreCopy(t *testing.T, litestream, replica string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "courant.db")
	said, err := exec.CommandContext(t.Context(), litestream, "restore", "-o", to, "file://"+replica).CombinedOutput()
	if err != nil {
		t.Logf("litestream restore: %v: %s", err, said)
		return ""
	}
	return to
}

// differences are the tables of which one of two databases has a row that the other has not.
func differences(t *testing.T, original, restored string) string {
	t.Helper()
	if restored == "" {
		return "everything"
	}
	db, err := sql.Open("sqlite", "file:"+original+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "ATTACH ? AS restored", "file:"+restored+"?mode=ro"); err != nil {
		t.Fatal(err)
	}
	var differ []string
	for _, table := range tables(t, conn) {
		var rows int
		query := fmt.Sprintf(`SELECT count(*) FROM (SELECT * FROM (SELECT * FROM main.%[1]q EXCEPT SELECT * FROM restored.%[1]q)
			UNION ALL SELECT * FROM (SELECT * FROM restored.%[1]q EXCEPT SELECT * FROM main.%[1]q))`, table)
		if err := conn.QueryRowContext(t.Context(), query).Scan(&rows); err != nil {
			return err.Error() // a table that is not copied yet
		}
		if rows > 0 {
			differ = append(differ, fmt.Sprintf("%d rows of %s", rows, table))
		}
	}
	return strings.Join(differ, ", ")
}

// tables are those of Courant's; Litestream has two of its own in the database.
func tables(t *testing.T, conn *sql.Conn) (names []string) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_litestream%' ESCAPE '\\'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil || len(names) == 0 {
		t.Fatalf("%d tables, %v", len(names), err)
	}
	return names
}
