package command

import (
	"bytes"
	"database/sql"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jonboulle/clockwork"

	"courant/auth"
	"courant/server"
	"courant/server/config"
	"courant/store"
	"courant/store/storetest"
)

// accountsHouse is a directory with a configuration that has offers, and a database with a member and an administrator.
type accountsHouse struct{ config string }

func newAccountsHouse(t *testing.T) *accountsHouse {
	t.Helper()
	t.Setenv("COURANT_DATABASE_PATH", filepath.Join(storetest.Folder(t), "courant.db"))
	h := &accountsHouse{config: configured(t, "offers:\n- id: reserves\n  datasets: [fcr-capacity, afrr-capacity]\n- id: everything\n")}
	h.do(t, "correct horse battery\n", "user", "add", "anne@example.org", "--password-stdin")
	h.do(t, "correct horse battery\n", "user", "add", "boris@example.org", "--admin", "--password-stdin")
	return h
}

// configured is the name of a file with a configuration.
func configured(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(storetest.Folder(t), "courant.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a command with the house's configuration.
func (h *accountsHouse) run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	code = Run(t.Context(), append(args, "--config", h.config), strings.NewReader(stdin), &out, &problems, "")
	return code, out.String(), problems.String()
}

// do runs a command that has to succeed without a word on standard error, and returns its result.
func (h *accountsHouse) do(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	code, stdout, stderr := h.run(t, stdin, args...)
	if code != ExitDone || stderr != "" {
		t.Fatalf("courant %s: exit %d, %s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

func TestAccountCommandsUsedWrongly(t *testing.T) {
	h := newAccountsHouse(t)
	for name, test := range map[string]struct {
		stdin, args string
		code        int
		want        string // in the one line on standard error
	}{
		"user alone":                {"", "user", exitUsage, "add, disable, enable, invite, list, passwd, subscribe, unsubscribe"},
		"unknown command":           {"", "user subscrib", exitUsage, "did you mean subscribe?"},
		"add nobody":                {"", "user add --password-stdin", exitUsage, "user add EMAIL"},
		"add without flag":          {"correct horse battery", "user add carl@example.org", exitUsage, "courant user add EMAIL --password-stdin < FILE"},
		"add with empty stdin":      {"", "user add carl@example.org --password-stdin", exitUsage, "no password"},
		"add with an empty line":    {"\r\ncorrect horse battery", "user add carl@example.org --password-stdin", exitUsage, "no password"},
		"add with a short password": {"elevenchars", "user add carl@example.org --password-stdin", exitUsage, "at least 12 characters"},
		"add with a long password":  {strings.Repeat("long", 10_000), "user add carl@example.org --password-stdin", exitUsage, "at most 256 bytes"},
		"add no address":            {"correct horse battery", "user add carl --password-stdin", exitUsage, "anne@example.org"},
		"add again":                 {"correct horse battery", "user add Anne@example.org --password-stdin", ExitFailed, "courant user passwd"},
		"passwd without flag":       {"correct horse battery", "user passwd anne@example.org", exitUsage, "--password-stdin < FILE"},
		"passwd of nobody":          {"correct horse battery", "user passwd carl@example.org --password-stdin", ExitFailed, "courant user list"},
		"enable nobody":             {"", "user enable carl@example.org", ExitFailed, "courant user list"},
		"disable nobody":            {"", "user disable carl@example.org", ExitFailed, "courant user list"},
		"subscribe without offer":   {"", "user subscribe anne@example.org", exitUsage, "--offer ID"},
		"subscribe to the unknown":  {"", "user subscribe anne@example.org --offer all", ExitFailed, "reserves, everything"},
		"subscribe nobody":          {"", "user subscribe carl@example.org --offer reserves", ExitFailed, "courant user list"},
		"subscribe until nonsense":  {"", "user subscribe anne@example.org --offer reserves --until soon", exitUsage, "YYYY-MM-DD, yesterday, today or tomorrow"},
		"subscribe until 30 Feb":    {"", "user subscribe anne@example.org --offer reserves --until 2100-02-30", exitUsage, "YYYY-MM-DD"},
		"subscribe until nothing":   {"", "user subscribe anne@example.org --offer reserves --until=", exitUsage, "YYYY-MM-DD"},
		"subscribe until yesterday": {"", "user subscribe anne@example.org --offer reserves --until yesterday", exitUsage, "past"},
		"subscribe until the epoch": {"", "user subscribe anne@example.org --offer reserves --until 1970-01-01", exitUsage, "YYYY-MM-DD"},
		"unsubscribe without one":   {"", "user unsubscribe anne@example.org", ExitFailed, "courant user list"},
		"create for nobody":         {"", "token create carl@example.org --name script", ExitFailed, "courant user list"},
		"create without name":       {"", "token create anne@example.org", exitUsage, "--name NAME"},
		"create with a blank name":  {"", "token create anne@example.org --name=\t", exitUsage, "name"},
		"create that is past":       {"", "token create anne@example.org --name script --expires 2026-01-01", exitUsage, "past"},
		"create for the unknown":    {"", "token create anne@example.org --name script --dataset weather", exitUsage, "\"weather\" is not a dataset"},
		"invite no address":         {"", "user invite anne", exitUsage, "anne@example.org"},
		"invite one who is there":   {"", "user invite anne@example.org", ExitFailed, "courant user passwd"},
		"list of nobody":            {"", "token list carl@example.org", ExitFailed, "courant user list"},
		"list of two":               {"", "token list anne@example.org boris@example.org", exitUsage, "[EMAIL]"},
		"revoke the unknown":        {"", "token revoke crt_00000000", ExitFailed, "courant token list"},
		"revoke a piece":            {"", "token revoke crt_0000", exitUsage, "first 12 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := h.run(t, test.stdin, strings.Split(test.args, " ")...)
			if code != test.code || stdout != "" || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit %d, stdout %q, stderr %q; want exit %d and one line with %q", code, stdout, stderr, test.code, test.want)
			}
			if strings.Contains(stderr, "correct horse battery") || strings.Contains(stderr, "elevenchars") {
				t.Error("the password is told")
			}
		})
	}
}

func TestThePasswordIsTheFirstLineOfStandardInput(t *testing.T) {
	h := newAccountsHouse(t)
	for name, stdin := range map[string]string{
		"no line ending": " pass word with spaces ",
		"Unix":           " pass word with spaces \nanother line\n",
		"Windows":        " pass word with spaces \r\nanother line\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			h.do(t, stdin, "user", "passwd", "anne@example.org", "--password-stdin")
			p := &Program{Clock: clockwork.NewRealClock(), configPath: h.config, Stderr: io.Discard}
			err := p.withAuth(t.Context(), func(accounts *auth.Auth) error {
				_, err := accounts.SignIn(t.Context(), "anne@example.org", " pass word with spaces ")
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestUserList(t *testing.T) {
	h := newAccountsHouse(t)
	h.do(t, "", "user", "subscribe", "anne@example.org", "--offer", "reserves", "--until", "2099-10-25")
	h.do(t, "", "user", "subscribe", "boris@example.org", "--offer", "everything")
	h.do(t, "", "user", "unsubscribe", "boris@example.org")
	want := regexp.MustCompile(`^EMAIL +ROLE +CREATED +DISABLED +OFFER +OFFER SINCE +OFFER UNTIL
anne@example\.org +member +TIME +- +reserves +TIME +2099-10-25T23:00:00Z
boris@example\.org +administrator +TIME +- +- +- +-
$`)
	got := regexp.MustCompile(`20[0-8]\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`).ReplaceAllString(h.do(t, "", "user", "list"), "TIME")
	if !want.MatchString(got) {
		t.Errorf("user list\n%s\nwant\n%s", got, want)
	}
}

func TestDisablingTheLastAdministratorWorksWithAWarning(t *testing.T) {
	h := newAccountsHouse(t)
	h.do(t, "", "user", "disable", "anne@example.org")
	code, stdout, stderr := h.run(t, "", "user", "disable", "boris@example.org")
	if code != ExitDone || stdout != "" || !strings.Contains(stderr, "last administrator") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	code, _, stderr = h.run(t, "", "token", "create", "boris@example.org", "--name", "script")
	if code != ExitFailed || !strings.Contains(stderr, "disabled") {
		t.Errorf("token create for a disabled account: exit %d, %q", code, stderr)
	}
}

func TestTokensFromCreationToRevocation(t *testing.T) {
	h := newAccountsHouse(t)
	first := h.do(t, "", "token", "create", "anne@example.org", "--name", "night script", "--expires", "2099-07-01")
	second := h.do(t, "", "token", "create", "boris@example.org", "--name", "été", "--expires", "today")
	for _, token := range []string{first, second} {
		if !regexp.MustCompile(`^crt_[A-Za-z0-9]{40,}\n$`).MatchString(token) {
			t.Fatalf("token create prints %q, want the token alone", token)
		}
	}
	h.do(t, "", "token", "revoke", second[:12])
	times := regexp.MustCompile(`20[0-8]\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	feeds := h.do(t, "", "token", "create", "boris@example.org", "--name", "evcc", "--feeds")
	limited := h.do(t, "", "token", "create", "boris@example.org", "--name", "reserves", "--dataset", "afrr-energy")
	const header, annes, boriss = `PREFIX +NAME +EMAIL +CREATED +EXPIRES +REVOKED +OPENS\n`,
		` +night script +anne@example\.org +TIME +2099-07-01T22:00:00Z +- +all\n`, ` +été +boris@example\.org +TIME +TIME +TIME +all\n`
	others := feeds[:12] + ` +evcc +boris@example\.org +TIME +- +- +feeds\n` +
		limited[:12] + ` +reserves +boris@example\.org +TIME +- +- +afrr-energy\n`
	for args, want := range map[string]string{
		"token list":                   header + first[:12] + annes + others + second[:12] + boriss,
		"token list boris@example.org": header + others + second[:12] + boriss,
	} {
		got := times.ReplaceAllString(h.do(t, "", strings.Split(args, " ")...), "TIME")
		if !regexp.MustCompile("^" + want + "$").MatchString(got) {
			t.Errorf("%s\n%s\nwant\n%s", args, got, want)
		}
	}
}

func TestAFeedsTokenTakesNoDatasets(t *testing.T) {
	h := newAccountsHouse(t)
	code, stdout, stderr := h.run(t, "", "token", "create", "boris@example.org", "--name", "evcc", "--feeds", "--dataset", "day-ahead-prices")
	if code != exitUsage || stdout != "" || !strings.Contains(stderr, "--feeds opens only the price feeds") {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestSessionCookiesAreForHTTPSIfUsersComeByIt(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(storetest.Folder(t), "courant.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	clock := clockwork.NewFakeClock()
	account := store.Account{Email: "anne@example.org", Role: store.Member, Created: clock.Now()}
	if err := db.AddAccount(t.Context(), store.Note{}, account); err != nil {
		t.Fatal(err)
	}
	if account, err = db.AccountByEmail(t.Context(), account.Email); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]bool{
		"": false, "http://localhost:8080": false, "https://courant.example.org": true, "HTTPS://courant.example.org": true,
	} {
		w := httptest.NewRecorder()
		accounts := server.NewAuth(config.Config{Server: config.Server{PublicURL: url}}, db, clock, nil)
		if err := accounts.BeginSession(w, httptest.NewRequestWithContext(t.Context(), "POST", "/login", nil), account); err != nil {
			t.Fatal(err)
		}
		if got := w.Result().Cookies()[0].Secure; got != want {
			t.Errorf("public_url %q: Secure = %t, want %t", url, got, want)
		}
	}
}

func TestAddressesThatLookLikeAnothersAreRefusedByEveryCommand(t *testing.T) {
	h := newAccountsHouse(t)
	h.do(t, "correct horse battery", "user", "add", "mik@wiki.example", "--password-stdin")
	for _, email := range []string{
		"mi\u212A@wiki.example", "m\u0130k@wiki.example", "mik@wi\u212Ai.example", "mik@\uff57iki.example", "mik@wiki.example\u200b", "mik@wi\u017Fi.example",
		"mik@wiki.example.", "mik@[192.0.2.1]",
	} {
		for _, command := range []string{
			"user add EMAIL --password-stdin", "user passwd EMAIL --password-stdin", "user disable EMAIL", "user enable EMAIL", "user invite EMAIL",
			"user subscribe EMAIL --offer reserves", "user unsubscribe EMAIL", "token create EMAIL --name script", "token list EMAIL",
		} {
			args := strings.Split(command, " ")
			args[2] = email
			code, stdout, stderr := h.run(t, "correct horse battery", args...)
			if code != exitUsage || stdout != "" || !strings.Contains(stderr, "an e-mail address is a name in ASCII and a domain") || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%s with %q: exit %d, stdout %q, stderr %q", command, email, code, stdout, stderr)
			}
		}
	}
	h.do(t, "correct horse battery", "user", "add", "Carl@m\u00fcnchen.example", "--password-stdin")
	h.do(t, "", "user", "disable", "carl@XN--mnchen-3ya.example")
	h.do(t, "", "user", "enable", "carl@m\u00fcnchen.EXAMPLE")
	if got := h.do(t, "", "user", "list"); !strings.Contains(got, "carl@xn--mnchen-3ya.example  member") || strings.Count(got, "\n") != 5 {
		t.Errorf("user list\n%s", got)
	}
}

func TestAListGoesOnOnTheNextPage(t *testing.T) {
	h := newAccountsHouse(t)
	first := h.do(t, "", "token", "create", "anne@example.org", "--name", "script")
	db, err := sql.Open("sqlite", os.Getenv("COURANT_DATABASE_PATH"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
		INSERT INTO account (email, password_hash, role, epoch, created_ms) SELECT printf('x%04d@example.org', i), '', 'member', 0, 1 FROM n`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := h.run(t, "", "user", "list")
	if code != ExitDone || strings.Count(stdout, "\n") != 1001 || stderr != "courant: there are more: courant user list --page 2\n" {
		t.Errorf("exit %d, %d lines, %q", code, strings.Count(stdout, "\n"), stderr)
	}
	if got := h.do(t, "", "user", "list", "--page", "2"); strings.Count(got, "\n") != 3 {
		t.Errorf("page 2: %s", got)
	}
	if got := h.do(t, "", "token", "list", "--page", "1"); !strings.Contains(got, first[:12]) {
		t.Errorf("token list: %s", got)
	}
	if got := h.do(t, "", "token", "list", "--page", "2"); strings.Count(got, "\n") != 1 {
		t.Errorf("token list, page 2: %s", got)
	}
}
