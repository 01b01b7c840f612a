package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// row is a quarter hour, as every server has to give it.
type row struct {
	Start string  `json:"hour_start_utc"`
	End   string  `json:"hour_end_utc"`
	Price float64 `json:"price_eur_mwh"`
}

var errOtherRows = errors.New("the rows are not those that Courant fetched")

// rowsAt decodes the rows that lie under a key of a JSON object.
func rowsAt(key string) func([]byte) ([]row, error) {
	return func(body []byte) ([]row, error) {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(body, &object); err != nil {
			return nil, err
		}
		return rowsAlone(object[key])
	}
}

// rowsAlone decodes an array of rows.
func rowsAlone(body []byte) (rows []row, err error) {
	if err := json.Unmarshal(body, &rows); err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	return rows, nil
}

// check returns an error unless the bodies contain the rows of the document.
func (w way) check(bodies [][]byte, want []row) error {
	var got []row
	for _, body := range bodies {
		rows, err := w.rows(body)
		if err != nil {
			return err
		}
		got = append(got, rows...)
	}
	if !slices.Equal(got, want) {
		return errOtherRows
	}
	return nil
}
