package web_test

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"courant/web"
)

// hostile is a text that must not become markup anywhere on a page.
const hostile = `"'><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}&amp;`

// rendering stores rendered pages by name.
type rendering struct {
	t     *testing.T
	pages map[string]string
}

func (r rendering) keep(name string) func(page []byte, err error) {
	return func(page []byte, err error) {
		r.t.Helper()
		if err != nil {
			r.t.Fatalf("%s: %v", name, err)
		}
		r.pages[name] = string(page)
	}
}

// pages renders every page in each of its states in one language.
func pages(t *testing.T, language web.Language, simulated bool) map[string]string {
	t.Helper()
	p, err := web.New(simulated)
	if err != nil {
		t.Fatal(err)
	}
	r := rendering{t, map[string]string{}}
	guest := web.Visit{Language: language, Path: "/login"}
	for name, view := range map[string]web.Login{
		"login": {}, "login refused": {Email: "anne@example.org", Refused: true}, "login under attack": {Email: hostile, Refused: true},
		"login without text": {Email: "\xff\x00", Refused: true},
	} {
		r.keep(name)(p.Login(guest, view))
	}
	marketPages(r, p, language)
	accountPages(r, p, language)
	alertPages(r, p, language)
	return r.pages
}

func TestPagesKeepToAStrictPolicyInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, language := range []web.Language{web.French, web.English} {
		for _, simulated := range []bool{true, false} {
			for name, page := range pages(t, language, simulated) {
				t.Run(fmt.Sprintf("%s, %s, simulated %t", name, language, simulated), func(t *testing.T) {
					checkMarkup(t, page, string(language))
				})
			}
		}
	}
}

var (
	void = []string{"meta", "link", "input", "img", "br", "hr"}
	// blocks end a paragraph, whether it is closed or not.
	blocks = []string{"p", "div", "table", "form", "h1", "h2", "ul", "ol", "section", "main", "header"}
	// ours is an address on the same site; html/template makes #ZgotmplZ of one that it refuses.
	ours = regexp.MustCompile(`^(/([^/]|$)|#|\?)`)
)

// checkMarkup reads a page tag by tag: what is opened is closed in order, and nothing is inline that a policy without
// unsafe-inline refuses.
func checkMarkup(t *testing.T, page, language string) {
	t.Helper()
	if !strings.HasPrefix(page, "<!doctype html>\n") {
		t.Errorf("the page begins with %.30q", page)
	}
	decoder := xml.NewDecoder(strings.NewReader(page))
	decoder.Strict = false
	decoder.Entity = xml.HTMLEntity
	var open []string
	ids, labelled, inputs := map[string]bool{}, map[string]bool{}, []string{}
	headings := 0
	for {
		token, err := decoder.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the page cannot be read: %v\n%s", err, page)
		}
		switch element := token.(type) {
		case xml.StartElement:
			name := element.Name.Local
			attributes := map[string]string{}
			for _, attribute := range element.Attr {
				key := strings.ToLower(attribute.Name.Local)
				if _, twice := attributes[key]; twice {
					t.Errorf("<%s> has %s twice", name, key)
				}
				attributes[key] = attribute.Value
				if strings.HasPrefix(key, "on") || key == "style" {
					t.Errorf("<%s> has the inline attribute %s", name, key)
				}
				if slices.Contains([]string{"href", "src", "action"}, key) && !ours.MatchString(attribute.Value) {
					t.Errorf("<%s> points at %q", name, attribute.Value)
				}
			}
			switch name {
			case "style":
				t.Error("the page has an inline style")
			case "script":
				if attributes["src"] == "" {
					t.Error("the page has an inline script")
				}
			case "html":
				if attributes["lang"] != language {
					t.Errorf("lang is %q, want %s", attributes["lang"], language)
				}
			case "h1":
				headings++
			case "label":
				labelled[attributes["for"]] = true
			case "input", "select", "textarea":
				if attributes["type"] != "hidden" {
					inputs = append(inputs, attributes["id"])
				}
			case "form":
				if !slices.Contains([]string{"get", "post"}, attributes["method"]) {
					t.Errorf("a form's method is %q", attributes["method"])
				}
				if slices.Contains(open, "form") {
					t.Error("a form stands in a form")
				}
			case "img":
				t.Errorf("an image that no template has: %v", attributes)
			}
			if id, has := attributes["id"]; has {
				if ids[id] {
					t.Errorf("the id %q comes twice", id)
				}
				ids[id] = true
			}
			if slices.Contains(blocks, name) && slices.Contains(open, "p") {
				t.Errorf("<%s> stands in <p>", name)
			}
			if name == "a" && slices.Contains(open, "a") {
				t.Error("a link stands in a link")
			}
			if !slices.Contains(void, name) {
				open = append(open, name)
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != element.Name.Local {
				t.Fatalf("</%s> closes %v", element.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%v are not closed", open)
	}
	if headings != 1 {
		t.Errorf("the page has %d headings of the first order", headings)
	}
	for _, id := range inputs {
		if id == "" || !labelled[id] {
			t.Errorf("the field %q has no label", id)
		}
	}
	for id := range labelled {
		if !ids[id] {
			t.Errorf("a label is for %q, which is not there", id)
		}
	}
	if strings.Contains(page, "<no value>") || strings.Contains(page, "ZgotmplZ") && !strings.Contains(page, "alert(1)") {
		t.Errorf("a template lacks a value:\n%s", page)
	}
}

func TestPagesAreTranslatedAsAWhole(t *testing.T) {
	t.Parallel()
	texts := regexp.MustCompile(`>([^<>]*\p{L}{3}[^<>]*)<`)
	code := regexp.MustCompile(`(?s)<(code|pre)\b.*?</(code|pre)>`)
	same := []string{
		"Courant", "anne@example.org", "API", "API · Courant", "Administration", "Français", "English", "CSV", "Source", "Date", "date", "RTE", "UPWARD", "€/MWh", "€/MW/h",
		"PNG", "SVG", "Excel", "Parquet", "Documentation", "Description", "Contact", "OpenAPI 3.1", "curl", "Python", "JavaScript", "Minimum", "Maximum", "FCR", "aFRR",
	}
	same = append(same, sameOfAccounts...)
	english := pages(t, web.English, true)
	for name, page := range pages(t, web.French, true) {
		if strings.Contains(name, "attack") {
			continue
		}
		for _, match := range texts.FindAllStringSubmatch(code.ReplaceAllString(page, ""), -1) {
			text := strings.TrimSpace(match[1])
			if !slices.Contains(same, text) && strings.Contains(english[name], ">"+match[1]+"<") {
				t.Errorf("%s: %q is the same in both languages", name, text)
			}
		}
	}
}

func TestEveryPageIsMarkedAsSimulated(t *testing.T) {
	t.Parallel()
	for language, sentence := range map[web.Language]string{
		web.French: "Données simulées\u00a0: aucune valeur de cette page n’a été publiée.", web.English: "Simulated data: no value on this page was ever published.",
	} {
		for _, simulated := range []bool{true, false} {
			for name, page := range pages(t, language, simulated) {
				if strings.Contains(page, sentence) != simulated {
					t.Errorf("%s in %s, simulated %t, says so: %t", name, language, simulated, !simulated)
				}
			}
		}
	}
}

func TestTheStaticFilesAreThoseOfTheFolder(t *testing.T) {
	t.Parallel()
	files := web.StaticFiles()
	entries, err := os.ReadDir("static")
	if err != nil || len(entries) != len(files) {
		t.Errorf("%d files, want %d (%v)", len(files), len(entries), err)
	}
	for name, content := range files {
		want, err := os.ReadFile("static/" + name)
		if err != nil || string(want) != string(content) {
			t.Errorf("%s differs from its file: %v", name, err)
		}
	}
}

// The stylesheet is all that pages load from it: what it draws on has to be there, too.
func TestStaticFilesLoadNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"style.css", "icon.svg"} {
		text := strings.ReplaceAll(string(web.StaticFiles()[name]), `xmlns="http://www.w3.org/2000/svg"`, "")
		for _, foreign := range []string{"http:", "https:", "//", "@import", "url(", "<script"} {
			if strings.Contains(text, foreign) {
				t.Errorf("%s holds %s", name, foreign)
			}
		}
	}
}

func TestScriptsMakeNoMarkupOfTextAndLoadNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"chart.js", "docs.js"} {
		script, found := web.StaticFiles()[name]
		if !found {
			t.Fatalf("there is no %s", name)
		}
		for _, not := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "Function(", "XMLHttpRequest", "import ", "https:", "setAttribute('style'", ".style."} {
			if strings.Contains(string(script), not) {
				t.Errorf("%s holds %s", name, not)
			}
		}
	}
}

func TestTheScriptOfChartsIsSmall(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(web.StaticFiles()["chart.js"])
	w.Close()
	if packed.Len() >= 25_000 {
		t.Errorf("it takes %d bytes", packed.Len())
	}
}
