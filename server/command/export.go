package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"courant/server"
	"courant/server/api/format"
	"courant/server/config"
	"courant/server/lake"
	"courant/store"
	"courant/store/market"
)

// toStdout is the argument that writes the rows to standard output.
const toStdout = "-"

// exportOptions are the flags of the export command.
type exportOptions struct {
	from, to, format string
	folder, bucket   string
}

func (p *Program) exportCommand() *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export DATASET --from DATE --to DATE [--format FORMAT] (--out FOLDER | --s3 s3://BUCKET/PREFIX | -)",
		Short: "Export stored rows to files, a bucket or standard output, also while serve runs",
		Long: "export writes the stored rows, each month of delivery dates to a file: dataset=DATASET/year=YYYY/month=MM/part.parquet.\n" +
			"Whole months are written; run again, it writes only the months that have changed. A month with 4 s steps that were\n" +
			"removed (retention.afrr_energy_days) is left as it is. With - it writes exactly the range, both dates\n" +
			"included, of one dataset to standard output.\n" +
			"DATASET is the name of one, or all. DATE is YYYY-MM-DD, yesterday, today or tomorrow, in Paris.\n" +
			"FORMAT is " + strings.Join(exportForms(), ", ") + ". A bucket is at the endpoint of export.s3.",
		Example: "  courant export all --from 2025-01-01 --to today --out lake\n" +
			"  courant export day-ahead-prices --from 2026-01-01 --to today --s3 s3://lake/courant\n" +
			"  courant export mfrr-energy --from yesterday --to yesterday --format ndjson - | head",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 && args[1] == toStdout {
				args = args[:1]
			}
			return exactly("DATASET")(cmd, args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return datasetNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.export(cmd.Context(), args[0], len(args) == 2, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.from, "from", "", "first delivery `date`")
	flags.StringVar(&o.to, "to", "", "last delivery `date`")
	flags.StringVar(&o.format, "format", string(format.Parquet), "`format` of the files")
	flags.StringVar(&o.folder, "out", "", "`folder` for the files, made if it does not exist")
	flags.StringVar(&o.bucket, "s3", "", "bucket for the files and what their keys begin with, such as `s3://BUCKET/PREFIX`")
	return cmd
}

func exportForms() []string {
	var names []string
	for _, form := range lake.Forms() {
		names = append(names, string(form))
	}
	return names
}

func (p *Program) export(ctx context.Context, name string, toOutput bool, o exportOptions) error {
	datasets, err := parseDatasetOrAll(name)
	if err != nil {
		return err
	}
	first, last, err := p.parseDates("export", o.from, o.to)
	if err != nil {
		return err
	}
	if !slices.Contains(exportForms(), o.format) {
		return usagef("unknown format %q%s", o.format, config.OrElse(config.Nearest(o.format, exportForms()), exportForms()))
	}
	destinations := 0
	for _, isChosen := range []bool{toOutput, o.folder != "", o.bucket != ""} {
		if isChosen {
			destinations++
		}
	}
	if destinations != 1 {
		return usagef("export needs one place to write to: --out FOLDER, --s3 s3://BUCKET/PREFIX, or - for standard output")
	}
	if toOutput && len(datasets) > 1 {
		return usagef("standard output takes one dataset: name it instead of %s", name)
	}
	err = p.withStore(ctx, func(cfg config.Config, db *store.Store) error {
		if toOutput {
			return p.exportToOutput(ctx, db, datasets[0], first, last, format.Form(o.format))
		}
		files, err := openLake(cfg, db, o)
		if err != nil {
			return err
		}
		request := lake.Request{First: market.MonthOf(first), Last: market.MonthOf(last), Form: format.Form(o.format)}
		return errors.Join(p.exportFiles(ctx, files, datasets, request), files.Close())
	})
	switch {
	case ctx.Err() != nil && toOutput:
		return errors.New("interrupted: the output is incomplete")
	case ctx.Err() != nil:
		return errors.New("interrupted: the same command continues where it stopped")
	}
	return err
}

// openLake opens the folder or the bucket that the flags name.
func openLake(cfg config.Config, db *store.Store, o exportOptions) (*lake.Lake, error) {
	if o.folder != "" {
		if err := os.MkdirAll(o.folder, 0o777); err != nil {
			return nil, fmt.Errorf("export to %s: %w", o.folder, err)
		}
		return lake.InFolder(db, o.folder, false)
	}
	address, found := strings.CutPrefix(o.bucket, "s3://")
	name, key, _ := strings.Cut(address, "/")
	if !found || name == "" {
		return nil, usagef("%s is not s3://BUCKET/PREFIX: write one such as s3://lake/courant", o.bucket)
	}
	_, nameErr := config.ParseBucket(name)
	prefix, prefixErr := config.ParseKeyPrefix(key)
	if err := cmp.Or(nameErr, prefixErr); err != nil {
		return nil, usagef("--s3 %s: %v", o.bucket, err)
	}
	if cfg.Export.S3.Bucket == "" {
		return nil, fmt.Errorf("%s: set export.s3 first, to the address and keys of the bucket", o.bucket)
	}
	in := server.BucketOf(cfg.Export.S3)
	in.Name, in.Prefix = name, prefix
	return lake.InBucket(db, in, false)
}

// exportFiles brings the files of the datasets up to date, and prints a line for each dataset.
func (p *Program) exportFiles(ctx context.Context, files *lake.Lake, datasets []market.Dataset, request lake.Request) error {
	draw := p.bar()
	request.Progress = func(now lake.Progress) {
		draw(now.Done, now.Total, fmt.Sprintf("%s %s, %d rows", now.Dataset, now.Month, now.Rows))
	}
	_, err := files.UpdateAll(ctx, datasets, request, func(dataset market.Dataset, made []lake.File) {
		fmt.Fprintf(p.Stdout, "%s: %s\n", dataset, exported(made))
		draw = p.bar()
	})
	return err
}

// exported describes the files of a dataset, such as "2 files written, 34 up to date".
func exported(files []lake.File) string {
	written, thinned := 0, 0
	for _, file := range files {
		switch {
		case file.Thinned:
			thinned++
		case file.Written:
			written++
		}
	}
	text := fmt.Sprintf("%d files written, %d up to date", written, len(files)-written-thinned)
	if thinned > 0 {
		text += fmt.Sprintf(", %d left as they are: 4 s steps were removed", thinned)
	}
	return text
}

// exportToOutput writes the rows of a range to standard output.
func (p *Program) exportToOutput(ctx context.Context, db *store.Store, dataset market.Dataset, first, last market.DeliveryDate, form format.Form) error {
	draw := p.bar()
	rows, thinned, err := lake.Stream(ctx, db, p.Stdout, dataset, first, last, form, func(at market.DeliveryDate, rows int) {
		draw(first.DaysUntil(at), first.DaysUntil(last)+1, fmt.Sprintf("%s %s, %d rows", dataset, at, rows))
	})
	if errors.Is(err, format.ErrTooManyRows) {
		return fmt.Errorf("%s can have %d rows: export fewer dates, or another format", form, form.MostRows())
	}
	if err != nil {
		return err
	}
	days := first.DaysUntil(last) + 1
	draw(days, days, fmt.Sprintf("%s, %d rows", dataset, rows))
	if len(thinned) > 0 {
		fmt.Fprintf(p.Stderr, "courant: warning: %d dates from %s to %s have no rows: their 4 s steps were removed\n",
			len(thinned), thinned[0], thinned[len(thinned)-1])
	}
	return nil
}
