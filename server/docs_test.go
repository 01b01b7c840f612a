package server_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	markdownLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	markdownHeading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	sourceFile      = regexp.MustCompile("`([a-z0-9_]+/[a-z0-9_/]+\\.go)`")
	notInAnchors    = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns the anchors of a Markdown file's headings, as GitHub makes them.
func anchors(t *testing.T, path string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, heading := range markdownHeading.FindAllStringSubmatch(string(text), -1) {
		anchor := notInAnchors.ReplaceAllString(strings.ToLower(heading[1]), "")
		found[strings.ReplaceAll(anchor, " ", "-")] = true
	}
	return found
}

func TestDocumentsNameExistingFilesAndHeadings(t *testing.T) {
	var documents []string
	for _, pattern := range []string{"../*.md", "../docs/*.md", "../docs/*/*.md", "../findings/*.md"} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, matches...)
	}
	if len(documents) < 8 {
		t.Fatalf("only these documents are found: %v", documents)
	}
	for _, document := range documents {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range markdownLink.FindAllStringSubmatch(string(text), -1) {
			path, anchor, hasAnchor := strings.Cut(link[1], "#")
			if strings.Contains(path, "://") {
				continue
			}
			target := document
			if path != "" {
				target = filepath.Join(filepath.Dir(document), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", document, link[1], err)
			} else if hasAnchor && !anchors(t, target)[anchor] {
				t.Errorf("%s links to %s: there is no such heading", document, link[1])
			}
		}
		for _, file := range sourceFile.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join("..", file[1])); err != nil {
				t.Errorf("%s names %s: %v", document, file[1], err)
			}
		}
	}
}
