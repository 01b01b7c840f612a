package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"courant/auth"
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
			return p.withStore(cmd.Context(), func(cfg Config, db *store.Store) error {
				report, err := newFeeds(cfg, db, p.clock, p.logger(cfg.Log), p.lineEachHost(), listeners{}).Report(cmd.Context())
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
		p.decideCommand("accept", "Take what waits under the ID", "accepted", auth.QuarantineAccepted, (*ingest.Feeds).Accept),
		p.decideCommand("reject", "Drop what waits under the ID, for good", "rejected", auth.QuarantineRejected, (*ingest.Feeds).Reject),
	)
	return cmd
}

func (p *program) decideCommand(name, short, done string, event auth.Event, decide func(*ingest.Feeds, context.Context, int64) (store.Quarantined, error)) *cobra.Command {
	return &cobra.Command{
		Use:   name + " ID",
		Short: short,
		Args:  exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usagef("%q is not an ID: courant feeds shows them", args[0])
			}
			return p.withStore(cmd.Context(), func(cfg Config, db *store.Store) error {
				log := p.logger(cfg.Log)
				ctx := newAuth(cfg, db, p.clock, log).Noting(cmd.Context(), event, args[0], "")
				q, err := decide(newFeeds(cfg, db, p.clock, log, p.lineEachHost(), listeners{}), ctx, id)
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
	tables := [][][]string{datasetRows(report.Datasets), missingRows(report.Datasets), waitingRows(report.Quarantine), differenceRows(report.PriceDifferences)}
	for i, rows := range tables {
		if len(rows) == 1 {
			continue // only the header
		}
		if i > 0 {
			fmt.Fprintln(p.stdout)
		}
		if err := p.printTable(rows); err != nil {
			return err
		}
	}
	return nil
}

func datasetRows(datasets []ingest.Status) [][]string {
	rows := [][]string{{"DATASET", "SOURCE", "STATE", "FIRST DATE", "LAST DATE", "MISSING DATES", "LAG", "LAST SUCCESS", "LAST CHANGE", "NEXT RUN", "LAST ERROR"}}
	for _, s := range datasets {
		lag := textCell("")
		if s.LagSeconds != nil {
			lag = (time.Duration(*s.LagSeconds) * time.Second).String()
		}
		rows = append(rows, []string{
			string(s.Dataset), s.Source, string(s.State), dateCell(s.FirstDate), dateCell(s.LastDate), strconv.Itoa(len(s.Missing)), lag,
			instantCell(s.LastSuccessAt), instantCell(s.LastChangeAt), instantCell(s.NextRunAt), errorCell(s.LastError),
		})
	}
	return rows
}

// missingRows has a line for each run of delivery dates that lack something for the same reason.
func missingRows(datasets []ingest.Status) [][]string {
	rows := [][]string{{"MISSING OF", "FROM", "TO", "EXPECTED", "RECEIVED", "REASON"}}
	for _, s := range datasets {
		for i := 0; i < len(s.Missing); {
			first, last := s.Missing[i], s.Missing[i]
			expected, received := 0, 0
			for ; i < len(s.Missing) && s.Missing[i].Reason == first.Reason && !s.Missing[i].Date.After(last.Date.Add(1)); i++ {
				last = s.Missing[i]
				expected += last.Expected
				received += last.Received
			}
			rows = append(rows, []string{string(s.Dataset), first.Date.String(), last.Date.String(), strconv.Itoa(expected), strconv.Itoa(received), string(first.Reason)})
		}
	}
	return rows
}

func waitingRows(quarantine []ingest.Waiting) [][]string {
	rows := [][]string{{"ID", "DATASET", "DATE", "WAITS BECAUSE", "SEEN"}}
	for _, w := range quarantine {
		rows = append(rows, []string{strconv.FormatInt(w.ID, 10), string(w.Dataset), w.Date.String(), w.Reason, instantCell(&w.SeenAt)})
	}
	return rows
}

func differenceRows(differences []ingest.Difference) [][]string {
	rows := [][]string{{"PRICES DIFFER ON", "BETWEEN", "QUARTERS", "BY UP TO EUR/MWh", "SEEN"}}
	for _, d := range differences {
		rows = append(rows, []string{d.Date.String(), d.Between, strconv.Itoa(d.Quarters), strconv.FormatFloat(d.LargestEURMWh, 'f', -1, 64), instantCell(&d.SeenAt)})
	}
	return rows
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
