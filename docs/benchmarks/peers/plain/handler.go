package main

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

type row struct {
	Start string  `json:"hour_start_utc"`
	End   string  `json:"hour_end_utc"`
	Price float64 `json:"price_eur_mwh"`
}

type document struct {
	Rows []row `json:"rows"`
}

type handler struct {
	token  *sql.Stmt
	prices *sql.Stmt
}

func newHandler(db *sql.DB) (http.Handler, error) {
	token, err := db.Prepare("SELECT 1 FROM token WHERE hash = ?")
	if err != nil {
		return nil, err
	}
	prices, err := db.Prepare("SELECT hour_start_utc, hour_end_utc, price_eur_mwh FROM price ORDER BY hour_start_utc")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /api/day-ahead-prices", &handler{token, prices})
	return mux, nil
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	hash := sha256.Sum256([]byte(token))
	switch err := h.token.QueryRowContext(r.Context(), hash[:]).Scan(new(int)); {
	case errors.Is(err, sql.ErrNoRows):
		w.WriteHeader(http.StatusUnauthorized)
		return
	case err != nil:
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	d, err := h.read(r.Context())
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	var body io.Writer = w
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		defer packed.Close()
		body = packed
	}
	_ = json.NewEncoder(body).Encode(d) // fails only when the client has gone
}

func (h *handler) read(ctx context.Context) (d document, err error) {
	rows, err := h.prices.QueryContext(ctx)
	if err != nil {
		return document{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.Start, &r.End, &r.Price); err != nil {
			return document{}, err
		}
		d.Rows = append(d.Rows, r)
	}
	return d, rows.Err()
}
