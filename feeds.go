package main

import (
	"context"
	"encoding/json"
	"errors"
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
		Long: "feeds shows how each dataset is doing, what it lacks and why, and what waits for your decision: prices that a\n" +
			"scheduled reading brought and that look like a fault of the source.",
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withFeeds(cmd.Context(), func(feeds *ingest.Feeds) error {
				report, err := feeds.Report(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					encoder := json.NewEncoder(p.stdout)
					encoder.SetIndent("", "  ")
					return encoder.Encode(report)
				}
				return p.printReport(report)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(
		p.decideCommand("accept", "Take what waits under the ID", "accepted", (*ingest.Feeds).Accept),
		p.decideCommand("reject", "Drop what waits under the ID, for good", "rejected", (*ingest.Feeds).Reject),
	)
	return cmd
}

// withFeeds runs fn with the feeds of the configured sources over the configured database.
func (p *program) withFeeds(ctx context.Context, fn func(*ingest.Feeds) error) error {
	return p.withStore(ctx, func(cfg Config, db *store.Store) error {
		return fn(newFeeds(cfg, db, p.clock, p.logger(cfg.Log), p.lineEachHost(), listeners{}))
	})
}

func (p *program) decideCommand(name, short, done string, decide func(*ingest.Feeds, context.Context, int64) (store.Quarantined, error)) *cobra.Command {
	return &cobra.Command{
		Use:   name + " ID",
		Short: short,
		Args:  exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usagef("%q is not an ID: courant feeds shows them", args[0])
			}
			return p.withFeeds(cmd.Context(), func(feeds *ingest.Feeds) error {
				q, err := decide(feeds, cmd.Context(), id)
				if errors.Is(err, store.ErrNotFound) {
					return fmt.Errorf("%w: courant feeds shows what waits", err)
				}
				if err == nil {
					fmt.Fprintf(p.stdout, "%s of %s %s\n", q.Dataset, q.Date, done)
				}
				return err
			})
		},
	}
}

func (p *program) printReport(report ingest.Report) error {
	rows := [][]string{{"DATASET", "SOURCE", "STATE", "FIRST DATE", "LAST DATE", "NEWEST PERIOD END", "LAST SUCCESS", "MISSING DATES", "LAST ERROR"}}
	for _, s := range report.Datasets {
		rows = append(rows, []string{
			string(s.Dataset), s.Source, string(s.State), dateCell(s.FirstDate), dateCell(s.LastDate),
			instantCell(s.NewestPeriodEnd), instantCell(s.LastSuccessAt), strconv.Itoa(len(s.Missing)), errorCell(s.LastError),
		})
	}
	if err := p.printTable(rows); err != nil || len(report.Quarantine) == 0 {
		return err
	}
	fmt.Fprintln(p.stdout)
	rows = [][]string{{"ID", "DATASET", "DATE", "WAITS BECAUSE", "SEEN"}}
	for _, w := range report.Quarantine {
		rows = append(rows, []string{strconv.FormatInt(w.ID, 10), string(w.Dataset), w.Date.String(), w.Reason, instantCell(&w.SeenAt)})
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
