package store_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// requirement is the version of a module that a go.mod asks for.
func requirement(t *testing.T, gomod, module string) string {
	t.Helper()
	content, err := os.ReadFile(gomod)
	if err != nil {
		t.Fatal(err)
	}
	file, err := modfile.ParseLax(gomod, content, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range file.Require {
		if r.Mod.Path == module {
			return r.Mod.Version
		}
	}
	t.Fatalf("%s does not require %s", gomod, module)
	return ""
}

// modernc.org/sqlite is C translated for one version of modernc.org/libc; with another one it may corrupt a file.
func TestTheDriverHasTheLibcItWasMadeFor(t *testing.T) {
	goList := func(args ...string) string {
		out, err := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...).Output()
		if err != nil {
			t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
		}
		return strings.TrimSpace(string(out))
	}
	const libc = "modernc.org/libc"
	ours := requirement(t, goList("-m", "-f", "{{.GoMod}}"), libc)
	theirs := requirement(t, goList("-m", "-f", "{{.GoMod}}", "modernc.org/sqlite"), libc)
	if ours != theirs {
		t.Errorf("go.mod has %s %s, modernc.org/sqlite wants %s", libc, ours, theirs)
	}
	if built := goList("-m", "-f", "{{.Version}}", libc); built != theirs {
		t.Errorf("the build takes %s %s, modernc.org/sqlite wants %s", libc, built, theirs)
	}
}
