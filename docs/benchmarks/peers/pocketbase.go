package main

import (
	"context"
	"encoding/json"
	"fmt"
)

// makePocketBase builds PocketBase and stores the rows in it.
func makePocketBase(ctx context.Context, folder string, rows []row) (*server, error) {
	s, err := makeLoaded(ctx, "pocketbase", folder, rows)
	if err != nil {
		return nil, err
	}
	s.name = "PocketBase"
	s.command = append(s.command, "serve", "--http="+s.addr)
	const largestPage = 1000
	pages := func(query string) (paths []string) {
		for page := 1; (page-1)*largestPage < len(rows); page++ {
			paths = append(paths, fmt.Sprintf("/api/collections/prices/records?sort=hour_start_utc&perPage=%d&page=%d%s", largestPage, page, query))
		}
		return paths
	}
	s.ways = []way{
		{"pages of 1 000", pages(""), rowsAt("items")},
		{"pages, totals skipped", pages("&skipTotal=1"), rowsAt("items")},
		{"one record of a view", []string{"/api/collections/document/records?skipTotal=1"}, rowsOfRecord},
	}
	return s, nil
}

// rowsOfRecord decodes the rows that the only record of a page holds as JSON.
func rowsOfRecord(body []byte) ([]row, error) {
	var page struct {
		Items []struct{ Prices json.RawMessage }
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, err
	}
	if len(page.Items) == 0 {
		return nil, nil
	}
	return rowsAlone(page.Items[0].Prices)
}
