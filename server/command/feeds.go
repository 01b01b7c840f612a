package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"courant/auth"
	"courant/ingest"
	"courant/ingest/report"
	"courant/server"
	"courant/server/config"
	"courant/store"
	"courant/store/market"
)

func (p *Program) feedsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "feeds",
		Short: "Show the state of each dataset and what is missing",
		Long: "feeds shows the state of each dataset, what is missing and why, and what waits for your decision: delivery dates that look\n" +
			"like a fault of the source, and what could be read of dates that were refused.",
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd.Context(), func(cfg config.Config, db *store.Store) error {
				report, err := p.feeds(cfg, db).Report(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return p.printJSON(report)
				}
				return p.printReport(report)
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	cmd.AddCommand(
		p.showWaitingCommand(),
		p.decideCommand("accept", "Store the delivery date that waits under this ID", "accepted", auth.QuarantineAccepted, (*ingest.Feeds).Accept),
		p.decideCommand("reject", "Discard the delivery date that waits under this ID, for good", "rejected", auth.QuarantineRejected, (*ingest.Feeds).Reject),
	)
	return cmd
}

// feeds returns the feeds for a command, with at most one call to each source at a time.
func (p *Program) feeds(cfg config.Config, db *store.Store) *ingest.Feeds {
	return server.NewFeeds(cfg, server.LineEachHost(p.callInterval), ingest.Options{
		Store: db, Clock: p.Clock, Log: p.logger(cfg.Log), Explain: withHint,
	})
}

func (p *Program) showWaitingCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show what would be stored if the ID were accepted",
		Args:  exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := waitingID(args[0])
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(_ config.Config, db *store.Store) error { return p.showWaiting(cmd.Context(), db, id) })
		},
	}
}

func waitingID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, usagef("%q is not an ID: courant feeds shows them", text)
	}
	return id, nil
}

// withIDHint adds to store.ErrNotFound how to find the IDs.
func withIDHint(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w: courant feeds shows what waits", err)
	}
	return err
}

// showWaiting prints what would be stored if the quarantined date with the id were accepted.
func (p *Program) showWaiting(ctx context.Context, db *store.Store, id int64) error {
	proposal, err := db.Proposal(ctx, id)
	if err != nil {
		return withIDHint(err)
	}
	return p.printProposal(proposal)
}

func (p *Program) printProposal(proposal store.Proposal) error {
	why := "waits because"
	if proposal.Kind == market.WaitsRefused {
		why = "was refused"
	}
	fmt.Fprintf(p.Stdout, "%s of %s %s: %s\n", proposal.Dataset, proposal.Date, why, proposal.Reason)
	fmt.Fprintf(p.Stdout, "%d rows would be stored, %d of them new; the first period begins at %s, the last at %s\n\n",
		proposal.Rows, proposal.NewRows, timeCell(proposal.First), timeCell(proposal.Last))
	rows := [][]string{{"COLUMN", "VALUES", "LEAST", "LARGEST", "NEW", "CHANGED", "WITHDRAWN"}}
	for _, column := range proposal.Values {
		rows = append(rows, []string{
			column.Name, strconv.Itoa(column.Given), numberCell(column.Min), numberCell(column.Max),
			strconv.Itoa(column.Arrived()), strconv.Itoa(column.Changed), strconv.Itoa(column.Withdrawn),
		})
	}
	return p.printTable(rows)
}

func numberCell(n market.Number) string {
	if !n.Valid {
		return textCell("")
	}
	return strconv.FormatFloat(n.V, 'f', -1, 64)
}

func (p *Program) decideCommand(
	name, short, done string, event auth.Event, decide func(*ingest.Feeds, context.Context, store.Note, int64) (store.Quarantined, error),
) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   name + " ID",
		Short: short,
		Long:  short + ". What would be stored is shown first, and on a terminal you are asked whether to go on.",
		Args:  exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := waitingID(args[0])
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(cfg config.Config, db *store.Store) error {
				if err := p.showWaiting(cmd.Context(), db, id); err != nil {
					return err
				}
				fmt.Fprintln(p.Stdout)
				if isTerminal(p.Stdin) && !yes {
					if err := p.confirm(cmd.Context(), name+" it"); err != nil {
						return err
					}
				}
				note := server.NewAuth(cfg, db, p.Clock, p.logger(cfg.Log)).Note(cmd.Context(), event, args[0], "")
				q, err := decide(p.feeds(cfg, db), cmd.Context(), note, id)
				if err == nil {
					fmt.Fprintf(p.Stdout, "%s of %s %s\n", q.Dataset, q.Date, done)
				}
				return withIDHint(err)
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// confirm asks on the terminal whether to go on, and returns an error unless the answer is yes. It returns when ctx ends, although the read
// of the terminal goes on until the program ends.
func (p *Program) confirm(ctx context.Context, question string) error {
	fmt.Fprintf(p.Stderr, "%s? [y/N] ", question)
	type answer struct {
		line string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		line, err := readLine(bufio.NewReader(p.Stdin))
		answered <- answer{line, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(p.Stderr)
		return errors.New("interrupted: nothing was changed")
	case a := <-answered:
		if a.err != nil {
			return a.err
		}
		if line := strings.ToLower(a.line); line != "y" && line != "yes" {
			return errors.New("not confirmed: nothing was changed")
		}
		return nil
	}
}

func (p *Program) printReport(report report.Report) error {
	tables := [][][]string{
		datasetRows(report.Datasets), missingRows(report.Datasets), waitingRows(report.Quarantine),
		differenceRows(report.PriceDifferences), correctionRows(report.Corrections), clockRows(report.Clock),
	}
	for i, rows := range tables {
		if len(rows) == 1 {
			continue // only the header
		}
		if i > 0 {
			fmt.Fprintln(p.Stdout)
		}
		if err := p.printTable(rows); err != nil {
			return err
		}
	}
	return nil
}

func datasetRows(datasets []report.Status) [][]string {
	rows := [][]string{{
		"DATASET", "SOURCE", "STATE", "FIRST DATE", "LAST DATE", "MISSING DATES", "LAG", "LAST SUCCESS", "LAST CHANGE", "NEXT RUN", "LAST ERROR",
	}}
	for _, s := range datasets {
		lag := textCell("")
		if s.LagSeconds != nil {
			lag = lagText(time.Duration(*s.LagSeconds) * time.Second)
		}
		rows = append(rows, []string{
			string(s.Dataset), s.Source, string(s.State), dateCell(s.FirstDate), dateCell(s.LastDate), strconv.Itoa(len(s.Missing)), lag,
			instantCell(s.LastSuccessAt), instantCell(s.LastChangeAt), instantCell(s.NextRunAt), errorCell(s.LastError),
		})
	}
	return rows
}

// lagText writes a lag in two units, such as 25d15h, 3h5m or 12m40s.
func lagText(lag time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case lag >= day:
		return fmt.Sprintf("%dd%dh", lag/day, lag%day/time.Hour)
	case lag >= time.Hour:
		return fmt.Sprintf("%dh%dm", lag/time.Hour, lag%time.Hour/time.Minute)
	}
	return lag.String()
}

// missingRows has a row for each range of consecutive delivery dates that are incomplete for the same reason.
func missingRows(datasets []report.Status) [][]string {
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
			rows = append(rows, []string{
				string(s.Dataset), first.Date.String(), last.Date.String(), strconv.Itoa(expected), strconv.Itoa(received), string(first.Reason),
			})
		}
	}
	return rows
}

func waitingRows(quarantine []report.Waiting) [][]string {
	rows := [][]string{{"ID", "DATASET", "DATE", "WAITS BECAUSE", "SEEN"}}
	for _, w := range quarantine {
		reason := w.Reason
		if w.Detail != nil {
			reason += ": " + *w.Detail
		}
		rows = append(rows, []string{
			strconv.FormatInt(w.ID, 10), string(w.Dataset), w.Date.String(), fmt.Sprintf("%.120s", reason), instantCell(&w.SeenAt),
		})
	}
	return rows
}

func differenceRows(differences []report.Difference) [][]string {
	rows := [][]string{{"PRICES DIFFER ON", "BETWEEN", "QUARTERS", "BY UP TO EUR/MWh", "SEEN"}}
	for _, d := range differences {
		rows = append(rows, []string{
			d.Date.String(), d.Between, strconv.Itoa(d.Quarters), strconv.FormatFloat(d.LargestEURMWh, 'f', -1, 64), instantCell(&d.SeenAt),
		})
	}
	return rows
}

func correctionRows(corrections []report.Correction) [][]string {
	rows := [][]string{{"CORRECTED AHEAD", "DATE", "VALUES", "SEEN"}}
	for _, c := range corrections {
		rows = append(rows, []string{string(c.Dataset), c.Date.String(), strconv.Itoa(c.Values), instantCell(&c.SeenAt)})
	}
	return rows
}

func clockRows(clock *report.Clock) [][]string {
	rows := [][]string{{"CLOCK COMPARED WITH", "AHEAD BY", "READ", "VERDICT"}}
	if clock != nil {
		verdict := "differs"
		if clock.Wrong {
			verdict = "wrong: set it"
		}
		rows = append(rows, []string{clock.Host, (time.Duration(clock.AheadSeconds) * time.Second).String(), instantCell(&clock.ReadAt), verdict})
	}
	return rows
}

func dateCell(date *market.DeliveryDate) string {
	if date == nil {
		return textCell("")
	}
	return date.String()
}

func instantCell(instant *report.Instant) string {
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
