package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"courant/store/market"
)

// moveWaitingVersion is the schema between the one that creates the quarantine of all datasets and the one that drops the
// quarantine of prices.
const moveWaitingVersion = 18

// moveWaiting moves the prices in quarantine, and the decisions on others. Superseded ones are left out: they may be
// quarantined again.
func moveWaiting(ctx context.Context, tx *sql.Tx) error {
	type row struct {
		id            int64
		dataset       market.Dataset
		date          market.DeliveryDate
		reason        string
		prices        []byte
		seen          int64
		decision, end any
	}
	found, err := tx.QueryContext(ctx, `SELECT id, dataset, delivery_date, reason, prices, seen_ms, decision, decided_ms FROM quarantine
		WHERE decision IS NULL OR decision <> 'superseded' ORDER BY id`)
	rows, err := collect(found, err, func(r *row) []any {
		return []any{&r.id, &r.dataset, &r.date, &r.reason, &r.prices, &r.seen, &r.decision, &r.end}
	})
	if err != nil {
		return err
	}
	for _, r := range rows {
		prices, err := readWaitingPrices(r.prices)
		if err != nil {
			return err
		}
		packed, digest, err := tableOf(r.dataset).packRows(market.Prices.Batch(prices))
		if err != nil {
			return err
		}
		if r.decision != nil {
			packed = nil
		}
		kind := market.WaitsChanged
		if strings.HasPrefix(r.reason, "all prices are ") {
			kind = market.WaitsFlat
		}
		_, err = tx.ExecContext(ctx, `INSERT OR IGNORE INTO waiting (id, dataset, delivery_date, kind, reason, digest, content, seen_ms, decision, decided_ms)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.id, r.dataset, r.date, kind, r.reason, digest, packed, r.seen, r.decision, r.end)
		if err != nil {
			return err
		}
	}
	return nil
}

// readWaitingPrices reads [[start, resolution, EUR/MWh], …].
func readWaitingPrices(text []byte) ([]market.Price, error) {
	var rows [][]json.RawMessage
	if err := json.Unmarshal(text, &rows); err != nil {
		return nil, err
	}
	var prices []market.Price
	for _, row := range rows {
		price := market.Price{Price: market.Number{Valid: true}}
		for i, into := range []any{&price.Start, &price.Resolution, &price.Price.V} {
			if i >= len(row) {
				break
			}
			if err := json.Unmarshal(row[i], into); err != nil {
				return nil, err
			}
		}
		prices = append(prices, price)
	}
	return prices, nil
}
