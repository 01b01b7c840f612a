// Package web makes Courant's pages: templates rendered to bytes, in French and in English, with one stylesheet and
// no inline style or script, so that a strict Content-Security-Policy holds.
//
// A page is a name in pageNames, a template of that name that defines "title" and "main", a view with what it shows,
// and a method of Pages that renders it. Texts stand where they are shown, in both languages: {{say "Prix" "Prices"}}.
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
	"time"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static
var static embed.FS

// pageNames are the pages, each with a template of its name in templates/.
var pageNames = []string{
	"login", "overview", "market", "status", "docs",
	"forgotten", "signup", "setpassword", "account", "tokens", "offers", "users", "user", "audit",
}

// StaticFiles are what pages load, such as style.css, by name.
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

// assets are the addresses at which pages load the static files: they change with the content, so that a browser that
// keeps a file for an hour does not show a new page in the old style.
var assets = func() map[string]string {
	addresses := map[string]string{}
	for name, content := range StaticFiles() {
		sum := sha256.Sum256(content)
		addresses[name] = "/static/" + name + "?v=" + hex.EncodeToString(sum[:4])
	}
	return addresses
}()

// Pages renders the pages.
type Pages struct {
	simulated bool
	templates map[Language]map[string]*template.Template
}

// New reads the templates. simulated has every page say that its data are made up.
func New(simulated bool) (*Pages, error) {
	p := &Pages{simulated: simulated, templates: map[Language]map[string]*template.Template{}}
	for _, language := range []Language{French, English} {
		p.templates[language] = map[string]*template.Template{}
		shared, err := template.New("").Funcs(functions(language)).ParseFS(templates, "templates/layout.html", "templates/parts.html")
		if err != nil {
			return nil, fmt.Errorf("web: templates: %w", err)
		}
		for _, name := range pageNames {
			t, err := shared.Clone()
			if err == nil {
				t, err = t.ParseFS(templates, "templates/"+name+".html")
			}
			if err != nil {
				return nil, fmt.Errorf("web: template %s: %w", name, err)
			}
			p.templates[language][name] = t
		}
	}
	return p, nil
}

// Visit is who looks at a page, and how.
type Visit struct {
	Language Language
	Path     string // of the request with its query: what the language switch comes back to
	Email    string // empty: nobody is signed in
	Admin    bool
	EndsSoon time.Time // the end of the visitor's subscription, if it is near; else zero
}

// page is what every template gets.
type page struct {
	Visit
	Simulated bool
	Sections  []section
	View      any
}

// section is a place in the navigation. Pages below its path are in it.
type section struct {
	Name    string
	Path    string
	Current bool
}

// places are the sections of the navigation. A path in the other language leads to the same page.
var places = []struct {
	name, path Text
	public     bool // guests see it
	admin      bool // only administrators see it
}{
	{name: Text{"Aperçu", "Overview"}, path: Text{"/", "/"}},
	{name: Text{"Prix", "Prices"}, path: Text{"/prix", "/prices"}},
	{name: Text{"Capacité", "Capacity"}, path: Text{"/capacite", "/capacity"}},
	{name: Text{"Énergie", "Energy"}, path: Text{"/energie", "/energy"}},
	{name: Text{"API", "API"}, path: Text{"/docs", "/docs"}, public: true},
	{name: Text{"État", "Status"}, path: Text{"/etat", "/status"}},
	{name: Text{"Administration", "Administration"}, path: Text{"/administration", "/admin"}, admin: true},
}

// sections are the places that the visitor may go to.
func (v Visit) sections() []section {
	var all []section
	for _, place := range places {
		if v.Email == "" && !place.public || place.admin && !v.Admin {
			continue
		}
		at := pathOf(v.Path)
		all = append(all, section{place.name.In(v.Language), place.path.In(v.Language), isAt(at, place.path.FR) || isAt(at, place.path.EN)})
	}
	return all
}

func isAt(path, place string) bool {
	return path == place || place != "/" && strings.HasPrefix(path, place+"/")
}

// render makes a page as a whole, so that a template that fails sends nothing.
func (p *Pages) render(name string, visit Visit, view any) ([]byte, error) {
	var buffer bytes.Buffer
	err := p.templates[visit.Language][name].ExecuteTemplate(&buffer, "layout.html", page{visit, p.simulated, visit.sections(), view})
	if err != nil {
		return nil, fmt.Errorf("web: render %s: %w", name, err)
	}
	return bytes.ToValidUTF8(buffer.Bytes(), []byte("\uFFFD")), nil // what was typed may be no text
}
