package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"courant/ingest"
	"courant/store"
)

func (p *program) feedsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "feeds",
		Short: "Show how each dataset is doing and what it lacks",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd.Context(), func(cfg Config, db *store.Store) error {
				all, err := newFeeds(cfg, db, p.clock, p.logger(cfg.Log), nil).Status(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					encoder := json.NewEncoder(p.stdout)
					encoder.SetIndent("", "  ")
					return encoder.Encode(struct {
						GeneratedAt ingest.Instant  `json:"generated_at"`
						Datasets    []ingest.Status `json:"datasets"`
					}{ingest.Instant(p.clock.Now()), all})
				}
				return p.printFeeds(all)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (p *program) printFeeds(all []ingest.Status) error {
	rows := [][]string{{"DATASET", "SOURCE", "STATE", "FIRST DATE", "LAST DATE", "NEWEST PERIOD END", "LAST SUCCESS", "MISSING DATES", "LAST ERROR"}}
	for _, s := range all {
		rows = append(rows, []string{
			string(s.Dataset), s.Source, string(s.State), dateCell(s.FirstDate), dateCell(s.LastDate),
			instantCell(s.NewestPeriodEnd), instantCell(s.LastSuccessAt), strconv.Itoa(len(s.Missing)), errorCell(s.LastError),
		})
	}
	return p.printTable(rows)
}

func dateCell(date *store.DeliveryDate) string {
	if date == nil {
		return textCell("")
	}
	return date.String()
}

func instantCell(instant *ingest.Instant) string {
	if instant == nil {
		return timeCell(time.Time{})
	}
	return timeCell(time.Time(*instant))
}

func errorCell(message *string) string {
	if message == nil {
		return textCell("")
	}
	return fmt.Sprintf("%.120s", *message)
}
