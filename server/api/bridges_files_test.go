package api_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var documentsFolder = flag.String("documents", "", "write A44 documents, and the prices in them, into this folder for docs/bridges")

// Other programs read these documents in docs/bridges.
func TestDocumentsForOtherPrograms(t *testing.T) {
	if *documentsFolder == "" {
		t.Skip("-documents names no folder")
	}
	for name, of := range markets {
		today, days := of()
		if len(days) == 0 {
			continue
		}
		f, token := atNoon(t, today, days)
		prices := map[string]string{}
		for start, price := range known(days) {
			prices[strconv.FormatInt(start, 10)] = price
		}
		listed, err := json.Marshal(prices)
		must(t, err)
		body := f.ask(t, "GET", a44Query(token, today.Start(), today.Add(1).End())).Body.Bytes()
		path := filepath.Join(*documentsFolder, strings.ReplaceAll(name, " ", "-"))
		must(t, os.WriteFile(path+".xml", body, 0o600))
		must(t, os.WriteFile(path+".json", listed, 0o600))
	}
}
