package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/pocketbase/pocketbase/tools/types"
)

// tokenLifetime is longer than any comparison.
const tokenLifetime = 24 * time.Hour

const documentQuery = `SELECT 'document' AS id, json_group_array(json_object(
	'hour_start_utc', hour_start_utc, 'hour_end_utc', hour_end_utc, 'price_eur_mwh', price_eur_mwh) ORDER BY hour_start_utc) AS prices
	FROM prices`

// load makes the database, stores rows and a user, and prints a token of that.
func load(app core.App, in io.Reader, out io.Writer) error {
	var rows []map[string]any
	if err := json.NewDecoder(in).Decode(&rows); err != nil {
		return err
	}
	if err := app.Bootstrap(); err != nil {
		return err
	}
	defer app.ResetBootstrapState()
	if err := app.RunAllMigrations(); err != nil {
		return err
	}
	app.Settings().Logs.MaxDays = 0 // no row of its log for each request
	if err := app.Save(app.Settings()); err != nil {
		return err
	}
	if err := app.RunInTransaction(func(tx core.App) error { return storePrices(tx, rows) }); err != nil {
		return err
	}
	token, err := addUser(app)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, token)
	return err
}

// storePrices makes both collections and a record for each row.
func storePrices(app core.App, rows []map[string]any) error {
	signedIn := types.Pointer(`@request.auth.id != ""`)
	prices := core.NewBaseCollection("prices")
	prices.ListRule = signedIn
	prices.Fields.Add(
		&core.TextField{Name: "hour_start_utc", Required: true},
		&core.TextField{Name: "hour_end_utc", Required: true},
		&core.NumberField{Name: "price_eur_mwh"},
	)
	prices.AddIndex("prices_start", true, "hour_start_utc", "")
	if err := app.Save(prices); err != nil {
		return err
	}
	for _, row := range rows {
		record := core.NewRecord(prices)
		record.Load(row)
		if err := app.Save(record); err != nil {
			return err
		}
	}
	document := core.NewViewCollection("document")
	document.ListRule = signedIn
	document.ViewQuery = documentQuery
	return app.Save(document)
}

func addUser(app core.App) (token string, err error) {
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return "", err
	}
	user := core.NewRecord(users)
	user.SetEmail("peer@courant.example")
	user.SetPassword(security.RandomString(20))
	if err := app.Save(user); err != nil {
		return "", err
	}
	return user.NewStaticAuthToken(tokenLifetime)
}
