package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
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
	"courant/store"
	"courant/store/backup"
	"courant/store/disk"
	"courant/store/market"
)

// mostSkew is how far the clock may be off before publication times are misjudged.
const mostSkew = time.Minute

// verdict is the result of one check.
type verdict struct {
	what string
	said string // what was found, if it is good

	warns bool // what was found is good for now
	err   error
}

func (p *Program) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check configuration, database, disk, credentials and clock",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			failed := 0
			p.check(cmd.Context(), func(v verdict) {
				if v.err != nil {
					failed++
					fmt.Fprintf(p.Stdout, "FAIL  %-14s %s\n", v.what, message(v.err))
					return
				}
				word := "ok"
				if v.warns {
					word = "warn"
				}
				fmt.Fprintf(p.Stdout, "%-4s  %-14s %s\n", word, v.what, v.said)
			})
			if failed > 0 {
				return fmt.Errorf("%d of the checks failed", failed)
			}
			return nil
		},
	}
}

func (p *Program) check(ctx context.Context, say func(verdict)) {
	cfg, err := p.config()
	say(verdict{what: "configuration", said: "every key is right", err: err})
	if err != nil {
		return
	}
	say(checkTimeZone(time.LoadLocation))
	database := checkDatabase(ctx, cfg.Database.Path)
	if say(database); database.err == nil {
		say(checkAddresses(ctx, cfg.Database.Path, p.Clock))
	}
	say(checkDisk(cfg.Database.Path))
	configFile, _, err := config.ReadFile(p.configPath, config.ProgramDir())
	if err != nil {
		say(verdict{what: "files", err: err})
		return
	}
	say(checkModes(secretFiles(cfg, configFile)))
	if cfg.Server.TLS.Domain != "" {
		say(checkTLS(ctx, cfg.Server.TLS, net.DefaultResolver.LookupHost))
	}
	if cfg.Backup.S3.Bucket != "" {
		say(checkBucket(ctx, cfg.Backup.S3, p.Clock.Now()))
	}
	clock := &serverClock{now: p.Clock.Now}
	client := source.NewHTTPClient()
	clock.next, client.Transport = client.Transport, clock
	today := market.DeliveryDateOf(p.Clock.Now()).Period()
	if !cfg.RTE.IsOn() {
		say(verdict{what: "RTE", said: "off: rte.client_id and rte.client_secret are empty"})
	} else {
		rte := server.NewRTE(cfg.RTE, client, p.Clock, nil, nil)
		_, _, err := rte.ProcuredReserves(ctx, today)
		say(verdict{what: "RTE capacity", said: "the credentials are good, Balancing Capacity answers", err: err})
		hourAgo := p.Clock.Now().Add(-time.Hour).Truncate(time.Minute)
		_, _, err = rte.MarginalPrice(ctx, market.NewPeriod(hourAgo, hourAgo.Add(time.Minute)))
		say(verdict{what: "RTE energy", said: "the credentials are good, Balancing Energy answers", err: err})
		_, _, err = rte.PowerExchangePrices(ctx, today)
		say(checkExchange(err))
	}
	if !cfg.ENTSOE.IsOn() {
		say(verdict{what: "ENTSO-E", said: "off: entsoe.security_token is empty"})
	} else {
		_, _, err := server.NewENTSOE(cfg.ENTSOE, client, p.Clock, nil, nil).DayAheadPrices(ctx, today)
		say(verdict{what: "ENTSO-E", said: "the security token is good, prices answer", err: err})
	}
	say(clock.verdict())
}

// checkExchange judges what came of asking for the exchanges' prices, which only stand in for ENTSO-E's.
func checkExchange(err error) verdict {
	v := verdict{what: "RTE prices", said: "the credentials are good, Wholesale Market answers", err: err}
	var fault *source.Fault
	if errors.As(err, &fault) && fault.Status == http.StatusForbidden {
		v.warns, v.said, v.err = true, fault.Error()+", or nothing stands in for ENTSO-E's prices", nil
	}
	return v
}

func checkDatabase(ctx context.Context, path string) verdict {
	v := verdict{what: "database", said: path + " opens and passes SQLite's integrity check, and every packed hour reads"}
	db, err := store.Open(ctx, path)
	if err != nil {
		v.err = err
		return v
	}
	added, err := db.Additions(ctx)
	if len(added) > 0 {
		v.warns = true
		v.said += "; restore would refuse a backup of it for what is not Courant's: " + strings.Join(added, ", ")
	}
	v.err = errors.Join(err, db.IntegrityCheck(ctx), db.Close())
	return v
}

// checkAddresses looks for accounts whose addresses are written in two ways, which older versions of Courant allowed: each
// is found by its own bytes alone, so a person may take one for the other.
func checkAddresses(ctx context.Context, path string, clock clockwork.Clock) verdict {
	v := verdict{what: "accounts", said: "no two have the same address"}
	db, err := store.Open(ctx, path)
	if err != nil {
		v.err = err
		return v
	}
	defer db.Close()
	collisions, err := auth.New(auth.Options{Store: db, Clock: clock}).Collisions(ctx)
	v.err = err
	if len(collisions) > 0 {
		var told []string
		for _, emails := range collisions {
			told = append(told, strings.Join(emails, " and "))
		}
		v.warns, v.said = true, "these are the same address, with an account each: "+strings.Join(told, "; ")+
			": end all but one of them with courant user disable EMAIL"
	}
	return v
}

// checkBucket proves by a list of the backups in it that the bucket is there and the keys are good.
func checkBucket(ctx context.Context, cfg config.S3, now time.Time) verdict {
	v := verdict{what: "backup bucket"}
	newest, where, err := backup.Newest(ctx, server.BucketOf(cfg), now)
	if err != nil {
		v.err = err
		return v
	}
	v.said = where + " answers and holds no backup yet"
	if newest != "" {
		v.said = "it answers; the newest backup in it is " + newest
	}
	return v
}

func checkDisk(path string) verdict {
	v := verdict{what: "disk"}
	free, size, err := disk.Free(filepath.Dir(path))
	switch {
	case err != nil:
		v.err = fmt.Errorf("free room beside %s: %w", path, err)
	case free < leastFreeBytes():
		v.err = fmt.Errorf("%d MB are free beside %s: a year of all datasets takes %d, and %d stay free: make room, or set database.path to a larger disk",
			free/disk.Megabyte, path, ingest.YearBytes()/disk.Megabyte, disk.ReserveBytes/disk.Megabyte)
	}
	v.said = fmt.Sprintf("%.1f GB are free beside %s", float64(free)/1e9, path)
	if disk.IsScarce(free, size) {
		v.warns, v.said = true, v.said+", less than 10 %: make room"
	}
	return v
}

// leastFreeBytes is a year of all datasets and what stays free.
func leastFreeBytes() uint64 { return uint64(ingest.YearBytes()) + disk.ReserveBytes }
