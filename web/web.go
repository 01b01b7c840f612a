// Package web makes Courant's pages: templates rendered to bytes, in French and in English, with one stylesheet and
// no inline style or script, so that a strict Content-Security-Policy holds.
package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"time"

	"courant/store"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static
var static embed.FS

// Static is a file that pages load, such as style.css; false if there is none of that name.
func Static(name string) ([]byte, bool) {
	content, err := static.ReadFile("static/" + name)
	return content, err == nil
}

// Pages renders the pages.
type Pages struct {
	simulated bool
	login     *template.Template
	home      *template.Template
}

// New reads the templates. simulated has every page say that its data are made up.
func New(simulated bool) (*Pages, error) {
	p := &Pages{simulated: simulated}
	for name, into := range map[string]**template.Template{"login.html": &p.login, "home.html": &p.home} {
		t, err := template.ParseFS(templates, "templates/layout.html", "templates/"+name)
		if err != nil {
			return nil, fmt.Errorf("web: template %s: %w", name, err)
		}
		*into = t
	}
	return p, nil
}

// page is what every template gets.
type page struct {
	Language  Language
	Words     words
	Simulated bool
	View      any
}

func (p *Pages) render(t *template.Template, language Language, view any) ([]byte, error) {
	var buffer bytes.Buffer
	err := t.ExecuteTemplate(&buffer, "layout.html", page{language, dictionary[language], p.simulated, view})
	if err != nil {
		return nil, fmt.Errorf("web: render: %w", err)
	}
	return bytes.ToValidUTF8(buffer.Bytes(), []byte("\uFFFD")), nil // what was typed may be no text
}

// Login is the page on which one signs in.
type Login struct {
	Email   string // as it was typed
	Refused bool   // address or password were wrong
}

// Login renders the page on which one signs in.
func (p *Pages) Login(language Language, view Login) ([]byte, error) {
	return p.render(p.login, language, view)
}

// Home is the page that shows what Courant holds.
type Home struct {
	Email    string
	Datasets []DatasetLine
}

// DatasetLine is one dataset of the home page.
type DatasetLine struct {
	Path      string
	LastDate  store.DeliveryDate // zero: nothing is stored
	FetchedAt time.Time          // zero: never
	Allowed   bool               // the account may read it
}

// Fetched is the time of the last reading in Paris, empty if there was none.
func (d DatasetLine) Fetched() string {
	if d.FetchedAt.IsZero() {
		return ""
	}
	return d.FetchedAt.In(store.Paris).Format("2006-01-02 15:04:05")
}

// Home renders the page that shows what Courant holds.
func (p *Pages) Home(language Language, view Home) ([]byte, error) {
	return p.render(p.home, language, view)
}
