package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/spf13/cobra"

	"courant/auth"
	"courant/ingest"
	"courant/ingest/source"
	"courant/server"
	"courant/server/config"
	"courant/server/lake"
	"courant/store"
	"courant/store/backup"
	"courant/store/disk"
	"courant/store/market"
)

// maxSkew is how far the clock may be off before publication times are misjudged.
const maxSkew = time.Minute

// result is the result of one check.
type result struct {
	what  string // the name of the check
	found string // what was found, if nothing is wrong
	warns bool   // what was found is acceptable for now
	err   error  // what is wrong
}

// status returns the verdict of a check in a word, and the reason.
func (r result) status() (word, detail string) {
	switch {
	case r.err != nil:
		return "fail", message(r.err)
	case r.warns:
		return "warn", r.found
	}
	return "ok", r.found
}

// resultInJSON is a check as check --json prints it.
type resultInJSON struct {
	Check  string `json:"check"`
	Status string `json:"status"` // ok, warn or fail
	Detail string `json:"detail"`
}

func (p *Program) checkCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check configuration, database, disk, credentials and clock",
		Long: "check reads the configuration, the database (its integrity too), the free room, who can read files with secrets, and the\n" +
			"clock, and calls each source once with its credentials, for 10 s at most. It changes nothing. The exit code is 1 if a\n" +
			"check failed, 0 if all passed or only warned.",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			failed := 0
			var results []resultInJSON
			p.check(cmd.Context(), func(r result) {
				word, detail := r.status()
				if r.err != nil {
					failed++
				}
				if asJSON {
					results = append(results, resultInJSON{r.what, word, detail})
					return
				}
				if r.err != nil {
					word = "FAIL"
				}
				fmt.Fprintf(p.Stdout, "%-4s  %-14s %s\n", word, r.what, detail)
			})
			if asJSON {
				if err := p.printJSON(results); err != nil {
					return err
				}
			}
			if failed > 0 {
				return fmt.Errorf("%d checks failed", failed)
			}
			return nil
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (p *Program) check(ctx context.Context, report func(result)) {
	cfg, err := p.config()
	report(result{what: "configuration", found: "every key is right", err: err})
	if err != nil {
		return
	}
	report(checkTimeZone(time.LoadLocation))
	if _, err := os.Stat(cfg.Database.Path); errors.Is(err, fs.ErrNotExist) {
		report(result{what: "database", found: cfg.Database.Path + " does not exist yet: courant serve creates it",
			err: checkWritable(filepath.Dir(cfg.Database.Path), "database.path")})
	} else {
		database := checkDatabase(ctx, cfg.Database.Path)
		if report(database); database.err == nil {
			report(checkAddresses(ctx, cfg.Database.Path, p.Clock))
		}
	}
	report(checkDisk(cfg.Database.Path))
	configFile, _, err := config.ReadFile(p.configPath, config.ProgramDir())
	if err != nil {
		report(result{what: "files", err: err})
		return
	}
	report(checkModes(secretFiles(cfg, configFile)))
	if cfg.Server.TLS.Domain != "" {
		report(checkTLS(ctx, cfg.Server.TLS, net.DefaultResolver.LookupHost))
	}
	if cfg.Backup.S3.Bucket != "" {
		report(checkBucket(ctx, cfg.Backup.S3, p.Clock.Now()))
	}
	if cfg.Export.To != "" {
		found, err := lake.FolderState(ctx, cfg.Export.To)
		report(exportResult("export folder", found, errors.Join(checkWritable(cfg.Export.To, "export.to"), err)))
	}
	if cfg.Export.S3.Bucket != "" {
		found, err := lake.BucketState(ctx, server.BucketOf(cfg.Export.S3))
		report(exportResult("export bucket", found, err))
	}
	clock := &serverClock{now: p.Clock.Now}
	client := source.NewHTTPClient()
	client.Timeout = p.checkTimeout
	clock.next, client.Transport = client.Transport, clock
	for _, v := range p.checkSources(source.Once(ctx), cfg, client) {
		report(v)
	}
	report(clock.result())
}

// checkSources calls both sources at the same time, so that it takes no longer than one connection may, and each call once.
func (p *Program) checkSources(ctx context.Context, cfg config.Config, client *http.Client) []result {
	fromENTSOE := make(chan result, 1)
	go func() { fromENTSOE <- p.checkENTSOE(ctx, cfg.ENTSOE, client) }()
	results := p.checkRTE(ctx, cfg.RTE, client)
	return append(results, <-fromENTSOE)
}

func (p *Program) checkRTE(ctx context.Context, cfg config.RTE, client *http.Client) []result {
	if !cfg.IsOn() {
		return []result{{what: "RTE", found: "off: rte.client_id and rte.client_secret are empty"}}
	}
	rte := server.NewRTE(cfg, client, p.Clock, nil, nil)
	today := market.DeliveryDateOf(p.Clock.Now()).Period()
	_, _, err := rte.ProcuredReserves(ctx, today)
	results := []result{{what: "RTE capacity", found: "the credentials are good, Balancing Capacity answers", err: err}}
	var fault *source.Fault
	if errors.As(err, &fault) && fault.Connection {
		return results // the other calls go to the same host
	}
	hourAgo := p.Clock.Now().Add(-time.Hour).Truncate(time.Minute)
	_, _, err = rte.MarginalPrice(ctx, market.NewPeriod(hourAgo, hourAgo.Add(time.Minute)))
	results = append(results, result{what: "RTE energy", found: "the credentials are good, Balancing Energy answers", err: err})
	_, _, err = rte.PowerExchangePrices(ctx, today)
	return append(results, exchangeResult(err))
}

func (p *Program) checkENTSOE(ctx context.Context, cfg config.ENTSOE, client *http.Client) result {
	if !cfg.IsOn() {
		return result{what: "ENTSO-E", found: "off: entsoe.security_token is empty"}
	}
	today := market.DeliveryDateOf(p.Clock.Now()).Period()
	_, _, err := server.NewENTSOE(cfg, client, p.Clock, nil, nil).DayAheadPrices(ctx, today)
	return result{what: "ENTSO-E", found: "the security token is good, prices answer", err: err}
}

// exchangeResult returns the result of a call for the prices of the power exchanges. An application that is not subscribed to them is only
// a warning, since they are a substitute for ENTSO-E's prices.
func exchangeResult(err error) result {
	v := result{what: "RTE prices", found: "the credentials are good, Wholesale Market answers", err: err}
	var fault *source.Fault
	if errors.As(err, &fault) && fault.Status == http.StatusForbidden {
		v.warns, v.found, v.err = true, fault.Error()+", or nothing stands in for ENTSO-E's prices", nil
	}
	return v
}

func checkDatabase(ctx context.Context, path string) result {
	v := result{what: "database", found: path + " opens and passes SQLite's integrity check, and every packed hour reads"}
	db, err := store.Open(ctx, path)
	if err != nil {
		v.err = err
		return v
	}
	added, err := db.Additions(ctx)
	if len(added) > 0 {
		v.warns = true
		v.found += "; restore would refuse a backup of it for what is not Courant's: " + strings.Join(added, ", ")
	}
	v.err = errors.Join(err, db.IntegrityCheck(ctx), db.Close())
	return v
}

// checkAddresses looks for accounts with the same address in two spellings, which older versions of Courant allowed: each account is found
// only by its own spelling, so a person may mistake one for the other.
func checkAddresses(ctx context.Context, path string, clock clockwork.Clock) result {
	v := result{what: "accounts", found: "no two have the same address"}
	db, err := store.Open(ctx, path)
	if err != nil {
		v.err = err
		return v
	}
	defer db.Close()
	collisions, err := auth.New(auth.Options{Store: db, Clock: clock}).Collisions(ctx)
	v.err = err
	if len(collisions) > 0 {
		var pairs []string
		for _, emails := range collisions {
			pairs = append(pairs, strings.Join(emails, " and "))
		}
		v.warns, v.found = true, "these are the same address, with an account each: "+strings.Join(pairs, "; ")+
			": end all but one of them with courant user disable EMAIL"
	}
	return v
}

// checkBucket lists the backups in the bucket, which needs an existing bucket and valid keys.
func checkBucket(ctx context.Context, cfg config.S3, now time.Time) result {
	v := result{what: "backup bucket"}
	newest, where, err := backup.Newest(ctx, server.BucketOf(cfg), now)
	if err != nil {
		v.err = err
		return v
	}
	v.found = where + " answers and holds no backup yet"
	if newest != "" {
		v.found = "it answers; the newest backup in it is " + newest
	}
	return v
}

// exportResult is the result of a check of what has been exported to a place.
func exportResult(what string, found lake.State, err error) result {
	v := result{what: what, found: found.Name + " can be used and holds no files yet", err: err}
	if found.Files > 0 {
		v.found = fmt.Sprintf("%s holds %d files; the newest change in them was stored at %s", found.Name, found.Files, found.Newest.Format(time.RFC3339))
	}
	return v
}

func checkDisk(path string) result {
	v := result{what: "disk"}
	free, size, err := disk.Free(filepath.Dir(path))
	switch {
	case err != nil:
		v.err = fmt.Errorf("free space beside %s: %w", path, err)
	case free < minFreeBytes():
		v.err = fmt.Errorf("%d MB are free beside %s: a year of all datasets takes %d, and %d stay free: free some space, or set database.path to a larger disk",
			free/disk.Megabyte, path, ingest.YearBytes()/disk.Megabyte, disk.ReserveBytes/disk.Megabyte)
	}
	v.found = fmt.Sprintf("%.1f GB are free beside %s", float64(free)/1e9, path)
	if disk.IsScarce(free, size) {
		v.warns, v.found = true, v.found+", less than 10 %: free some space"
	}
	return v
}

// minFreeBytes is the space for a year of all datasets, and the reserve.
func minFreeBytes() uint64 { return uint64(ingest.YearBytes()) + disk.ReserveBytes }
