package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"courant/ingest"
	"courant/server/config"
	"courant/store"
	"courant/store/market"
)

// allDatasets is the DATASET argument that means every dataset.
const allDatasets = "all"

// fetchOptions are the flags of the fetch command.
type fetchOptions struct {
	from, to      string
	force, dryRun bool
}

func (p *Program) fetchCommand() *cobra.Command {
	var o fetchOptions
	cmd := &cobra.Command{
		Use:   "fetch DATASET --from DATE --to DATE",
		Short: "Fetch delivery dates now",
		Long: "fetch requests every delivery date of the range, both ends included, also those that are stored.\n" +
			"DATASET is the name of one, or all; one capacity dataset fetches all three. DATE is YYYY-MM-DD, yesterday, today or\n" +
			"tomorrow, in Paris. After an interruption the same command continues where it stopped. A delivery date for which the\n" +
			"source has replied the same for a week, or whose 4 s steps were removed (retention.afrr_energy_days), is left out\n" +
			"unless --force is given.",
		Example: "  courant fetch day-ahead-prices --from 2026-01-01 --to tomorrow\n  courant fetch all --from yesterday --to today",
		Args:    exactly("DATASET"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return datasetNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return p.fetch(cmd.Context(), args[0], o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.from, "from", "", "first delivery `date`")
	flags.StringVar(&o.to, "to", "", "last delivery `date`")
	flags.BoolVar(&o.force, "force", false, "skip nothing: neither what an interrupted fetch had finished nor gaps of the source")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print the calls that would be made, without making them")
	return cmd
}

func datasetNames() []string {
	names := []string{allDatasets}
	for _, dataset := range market.Datasets() {
		names = append(names, string(dataset))
	}
	return names
}

// parseDatasetOrAll reads a DATASET of the command line, which may be all.
func parseDatasetOrAll(name string) ([]market.Dataset, error) {
	if name == allDatasets {
		return market.Datasets(), nil
	}
	dataset, known := market.ParseDataset(name)
	if !known {
		return nil, usagef("unknown dataset %q%s", name, config.OrElse(config.Nearest(name, datasetNames()), datasetNames()))
	}
	return []market.Dataset{dataset}, nil
}

func (p *Program) fetch(ctx context.Context, name string, o fetchOptions) error {
	datasets, err := parseDatasetOrAll(name)
	if err != nil {
		return err
	}
	first, last, err := p.parseDates("fetch", o.from, o.to)
	if err != nil {
		return err
	}
	if earliest := ingest.EarliestDate; first.Before(earliest) {
		return usagef("%s is too early: nothing was published before %s", first, earliest)
	}
	// If there are several datasets, each is fetched up to its own last date.
	latest := ingest.LastDate(datasets[0], p.Clock.Now())
	if last.After(latest) {
		return usagef("%s is too late: the last delivery date that can be requested is %s", last, latest)
	}
	return p.withStore(ctx, func(cfg config.Config, db *store.Store) error {
		if isTerminal(p.Stderr) {
			// A line for each run would break the progress bar.
			cfg.Log.Level = max(cfg.Log.Level, slog.LevelWarn)
		}
		feeds := p.feeds(cfg, db)
		requests := p.fetchRequests(feeds, datasets, first, last, o.force)
		if o.dryRun {
			return p.printCalls(ctx, feeds, requests)
		}
		err := feeds.Fetch(ctx, requests...)
		if ctx.Err() != nil {
			return errors.New("interrupted: the same command continues where it stopped")
		}
		return errors.Join(p.printStored(ctx, db, datasets, first, last), err)
	})
}

// fetchRequests returns one request for each feed of the datasets.
func (p *Program) fetchRequests(
	feeds *ingest.Feeds, datasets []market.Dataset, first, last market.DeliveryDate, force bool,
) []ingest.FetchRequest {
	var requests []ingest.FetchRequest
	asked := map[market.FeedName]bool{}
	for _, dataset := range datasets {
		name, end := feeds.Name(dataset), last
		if limit := ingest.LastDate(dataset, p.Clock.Now()); end.After(limit) {
			end = limit
		}
		if !asked[name] && !first.After(end) {
			requests = append(requests, ingest.FetchRequest{Dataset: dataset, First: first, Last: end, Force: force, Progress: p.progress(name)})
			asked[name] = true
		}
	}
	return requests
}

func (p *Program) printCalls(ctx context.Context, feeds *ingest.Feeds, requests []ingest.FetchRequest) error {
	for _, request := range requests {
		calls, err := feeds.Plan(ctx, request)
		if err != nil {
			return err
		}
		for _, call := range calls {
			fmt.Fprintf(p.Stdout, "%s: %s to %s\n", feeds.Name(request.Dataset),
				call.From().In(market.Paris).Format(time.RFC3339), call.To().In(market.Paris).Format(time.RFC3339))
		}
	}
	return nil
}

// printStored prints how many rows are now stored of the requested range, at the steps at which they were published.
func (p *Program) printStored(ctx context.Context, db *store.Store, datasets []market.Dataset, first, last market.DeliveryDate) error {
	for _, dataset := range datasets {
		coverage, err := db.Coverage(ctx, dataset, first, last)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "%s: %d rows stored\n", dataset, coverage.Rows())
	}
	return nil
}

// progress returns a function that draws the progress of a feed.
func (p *Program) progress(name market.FeedName) func(ingest.Progress) {
	draw := p.bar()
	return func(now ingest.Progress) { draw(now.Done, now.Total, progressText(name, now)) }
}

// bar returns a function that draws a progress bar on a terminal, and does nothing elsewhere.
func (p *Program) bar() func(done, total int, text string) {
	if !isTerminal(p.Stderr) {
		return func(int, int, string) {}
	}
	var bar *progressbar.ProgressBar
	return func(done, total int, text string) {
		if bar == nil {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(p.Stderr), progressbar.OptionShowCount(),
				progressbar.OptionSetPredictTime(true), progressbar.OptionOnCompletion(func() { fmt.Fprintln(p.Stderr) }))
		}
		bar.Describe(text)
		_ = bar.Set(done) // a bar that cannot be drawn does not end the command
	}
}

// progressText describes the progress of a fetch, such as "afrr_energy 2026-10-25, 44100 rows". The bar itself counts the dates.
func progressText(name market.FeedName, now ingest.Progress) string {
	if now.Date.IsZero() {
		return string(name)
	}
	return fmt.Sprintf("%s %s, %d rows", name, now.Date, now.Rows)
}
