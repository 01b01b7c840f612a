package command

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"courant/ingest/report"
	"courant/ingest/simulator"
	"courant/server"
	"courant/server/config"
	"courant/server/entrance"
	"courant/store/market"
)

// progressInterval is how often demo looks whether another feed has run.
const progressInterval = 200 * time.Millisecond

func (p *Program) demoCommand() *cobra.Command {
	var faults bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve simulated data, without files, credentials or network",
		Long: "demo runs Courant against simulated RTE and ENTSO-E servers on this machine, with a temporary database.\n" +
			"It prints a link that signs you in, and ignores the configuration and COURANT_ variables. Its values were\n" +
			"never published. With --faults the servers fail in a different way every minute; GET /api/status and the\n" +
			"status page show how Courant reacts.",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.demo(cmd.Context(), faults) },
	}
	cmd.Flags().BoolVar(&faults, "faults", false, "make the simulated servers fail in many ways, one after the other")
	return cmd
}

func (p *Program) demo(ctx context.Context, faults bool) (err error) {
	fmt.Fprintln(p.Stderr, "Starting simulated RTE and ENTSO-E servers and a temporary database.")
	folder, err := os.MkdirTemp("", "courant-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer os.RemoveAll(folder)
	switches := new(simulator.Switches)
	sources, err := simulator.Start(simulator.Options{Now: p.Clock.Now, Switches: switches, DayAheadOnly: true})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer sources.Close()
	cfg := config.Default()
	cfg.Database.Path = filepath.Join(folder, "courant.db")
	cfg.RTE = config.RTE{BaseURL: sources.RTEURL, ClientID: simulator.ClientID, ClientSecret: simulator.ClientSecret}
	cfg.Webhooks.AllowPrivate = true // to receivers on this machine
	cfg.ENTSOE = config.ENTSOE{BaseURL: sources.ENTSOEURL, SecurityToken: simulator.SecurityToken}
	cfg.Log.Level = slog.LevelWarn // the progress shows the runs of the feeds
	if faults {
		fetchOften(&cfg)
		cfg.Log.Level = slog.LevelInfo
	}
	log := p.logger(cfg.Log)
	s, err := server.Open(ctx, cfg, server.Options{Clock: p.Clock, Log: log, Simulated: true, Explain: withHint})
	if entrance.IsPortTaken(err) {
		cfg.Server.Addr = "127.0.0.1:0"
		s, err = server.Open(ctx, cfg, server.Options{Clock: p.Clock, Log: log, Simulated: true, Explain: withHint})
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	const email = "demo@courant.example"
	password := shortPassword()
	link, token, err := p.demoAccount(ctx, s, email, password)
	if err != nil {
		return err
	}
	var watching sync.WaitGroup
	defer watching.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	return s.Run(ctx, func() {
		fmt.Fprintf(p.Stdout, `Courant serves SIMULATED data: none of its values was ever published.

  open      %s
            (this link signs you in, once)

  address   http://%s
  login     %s
  password  %s
  token     %s

  curl -H 'Authorization: Bearer %[5]s' http://%[2]s/api/%[6]s
`, link, s.Addr(), email, password, token, market.DayAheadPrices)
		if faults {
			p.printFaults(sources, s.Addr(), token)
			faulty := NewDemoScript(switches, p.Clock, log, s.Report)
			watching.Go(func() { faulty.Play(ctx) })
		}
		fmt.Fprint(p.Stdout, "\nPress Ctrl-C to end it; nothing is left behind.\n\n")
		watching.Go(func() { p.printProgress(ctx, s.Report) })
	})
}

// shortPassword returns a random password of 12 letters and digits that is easy to type.
func shortPassword() string {
	text := strings.ToLower(rand.Text())
	return text[:4] + "-" + text[4:8] + "-" + text[8:12]
}

// demoAccount makes an administrator's account and returns a link that signs it in and a token.
func (p *Program) demoAccount(ctx context.Context, s *server.Server, email, password string) (link, token string, err error) {
	if err := s.Auth().AddUser(ctx, email, password, true); err != nil {
		return "", "", err
	}
	if link, err = s.SignInLink(ctx, email); err != nil {
		return "", "", err
	}
	token, err = s.Auth().CreateToken(ctx, email, "demo", market.DeliveryDate{})
	return link, token, err
}

// printProgress prints which delivery dates of each dataset are stored, once its feed has run, until all have.
func (p *Program) printProgress(ctx context.Context, read func(context.Context) (report.Report, error)) {
	fmt.Fprintln(p.Stderr, "Collecting from the simulated sources; the pages can be used meanwhile.")
	printed := map[market.Dataset]bool{}
	for waiting := true; waiting; {
		if !pause(ctx, p.Clock, progressInterval) {
			return
		}
		now, err := read(ctx)
		waiting = err != nil
		for _, d := range now.Datasets {
			switch {
			case printed[d.Dataset]:
			case d.NextRunAt == nil:
				waiting = true
			default:
				printed[d.Dataset] = true
				dates := "nothing stored"
				if d.FirstDate != nil && d.LastDate != nil {
					dates = d.FirstDate.String() + " to " + d.LastDate.String()
				}
				fmt.Fprintf(p.Stderr, "  %-17s %s\n", d.Dataset, dates)
			}
		}
	}
	fmt.Fprintln(p.Stderr, "All datasets are collected.")
}
