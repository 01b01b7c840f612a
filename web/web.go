// Package web is the dashboard: pages rendered from templates, in French and in English, with one stylesheet and no inline
// style or script, so that a strict Content-Security-Policy holds. It also has the reference of the API.
//
// A kind of page is a name in templateNames, a template of that name that defines "title" and "main", a view with its
// data, and a method of Pages that renders it. The paths of pages are in paths.go. Texts are in the templates, in both
// languages: {{say "Prix" "Prices"}}.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"strings"
	"sync"
	"time"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static
var static embed.FS

// templateNames are the templates of pages in templates/.
var templateNames = []string{
	"login", "overview", "market", "explore", "status", "docs", "problem", "failure",
	"forgotten", "signup", "setpassword", "account", "tokens", "offers", "users", "user", "audit",
	"alerts", "alert", "endalert",
}

// StaticFiles returns the files that pages load, such as style.css, by name.
func StaticFiles() map[string][]byte {
	files := map[string][]byte{}
	err := fs.WalkDir(static, "static", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[entry.Name()], err = static.ReadFile(path)
		return err
	})
	if err != nil {
		panic("web: static files: " + err.Error())
	}
	return files
}

// assets are the addresses of the static files in pages. They change with the content, so that a browser that caches a
// file for an hour does not show a new page in the old style.
var assets = func() map[string]string {
	addresses := map[string]string{}
	for name, content := range StaticFiles() {
		sum := sha256.Sum256(content)
		addresses[name] = PathStatic + name + "?v=" + hex.EncodeToString(sum[:4])
	}
	return addresses
}()

// Pages renders the pages.
type Pages struct {
	simulated bool
	templates map[Language]map[string]*template.Template
}

// New returns the pages. If simulated, every page states that its data are invented.
func New(simulated bool) (*Pages, error) {
	parsed, err := parsedTemplates()
	if err != nil {
		return nil, err
	}
	return &Pages{simulated, parsed}, nil
}

// parsedTemplates returns the templates of pages by language and name. They are the same for all Pages, and parsed once.
var parsedTemplates = sync.OnceValues(func() (map[Language]map[string]*template.Template, error) {
	parsed := map[Language]map[string]*template.Template{}
	for _, language := range []Language{French, English} {
		parsed[language] = map[string]*template.Template{}
		shared, err := template.New("").Funcs(functions(language)).ParseFS(templates, "templates/layout.html", "templates/parts.html")
		if err != nil {
			return nil, fmt.Errorf("web: templates: %w", err)
		}
		for _, name := range templateNames {
			t, err := shared.Clone()
			if err == nil {
				t, err = t.ParseFS(templates, "templates/"+name+".html")
			}
			if err != nil {
				return nil, fmt.Errorf("web: template %s: %w", name, err)
			}
			parsed[language][name] = t
		}
	}
	return parsed, nil
})

// Visit is the visitor of a page, and the language and path of the request.
type Visit struct {
	Language Language
	Path     string // of the request with its query, to which the language switch returns
	Email    string // empty: a guest
	Admin    bool
	EndsSoon time.Time // the end of the visitor's subscription if it is near; else zero
}

// layoutData is the data of every template.
type layoutData struct {
	Visit
	Simulated bool
	Sections  []section
	View      any
}

// section is an entry of the navigation. Pages below its path belong to it.
type section struct {
	Name    string
	Path    string
	Current bool
}

// sections returns the entries of the navigation that the visitor may open. The current one is found by its path in either
// language.
func (v Visit) sections() []section {
	var all []section
	at := pathOf(v.Path)
	for _, page := range sitePages {
		allowed := page.Access == AccessPublic || v.Email != "" && (page.Access != AccessAdministrator || v.Admin)
		if page.Section == (Text{}) || !allowed {
			continue
		}
		current := isAt(at, page.Path.FR) || isAt(at, page.Path.EN)
		all = append(all, section{page.Section.In(v.Language), page.In(v.Language), current})
	}
	return all
}

func isAt(path, page string) bool {
	return path == page || page != PageOverview.Path.FR && strings.HasPrefix(path, page+"/")
}

// render renders a page completely before anything is sent, in case a template fails.
func (p *Pages) render(name string, visit Visit, view any) ([]byte, error) {
	var buffer bytes.Buffer
	err := p.templates[visit.Language][name].ExecuteTemplate(&buffer, "layout.html", layoutData{visit, p.simulated, visit.sections(), view})
	if err != nil {
		return nil, fmt.Errorf("web: render %s: %w", name, err)
	}
	return bytes.ToValidUTF8(buffer.Bytes(), []byte("\uFFFD")), nil // what was typed may be invalid UTF-8
}
