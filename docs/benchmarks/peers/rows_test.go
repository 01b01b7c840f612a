package main

import "testing"

func TestADocumentMustContainTheRowsInOrder(t *testing.T) {
	want := []row{{"a", "b", 1.5}, {"b", "c", -2}}
	const first, second = `{"hour_start_utc":"a","hour_end_utc":"b","price_eur_mwh":1.5}`, `{"hour_start_utc":"b","hour_end_utc":"c","price_eur_mwh":-2}`
	for _, c := range []struct {
		what   string
		way    way
		bodies []string
		right  bool
	}{
		{"a list", way{rows: rowsAlone}, []string{"[" + first + "," + second + "]"}, true},
		{"an object", way{rows: rowsAt("rows")}, []string{`{"rows":[` + first + "," + second + `],"latestDate":"x"}`}, true},
		{"two pages", way{rows: rowsAt("items")}, []string{`{"items":[` + first + `]}`, `{"items":[` + second + `]}`}, true},
		{"one record", way{rows: rowsOfRecord}, []string{`{"items":[{"prices":[` + first + "," + second + `]}]}`}, true},
		{"a row too few", way{rows: rowsAlone}, []string{"[" + first + "]"}, false},
		{"another order", way{rows: rowsAlone}, []string{"[" + second + "," + first + "]"}, false},
		{"no record", way{rows: rowsOfRecord}, []string{`{"items":[]}`}, false},
		{"no JSON", way{rows: rowsAlone}, []string{"<html>"}, false},
	} {
		var bodies [][]byte
		for _, body := range c.bodies {
			bodies = append(bodies, []byte(body))
		}
		if err := c.way.check(bodies, want); (err == nil) != c.right {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}
