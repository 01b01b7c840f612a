package command

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"courant/ingest/simulator"
	"courant/server"
	"courant/server/config"
	"courant/server/entrance"
	"courant/store/market"
)

func (p *Program) demoCommand() *cobra.Command {
	var faults bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve simulated data: no file, no credentials, no network needed",
		Long: "demo runs Courant against simulated RTE and ENTSO-E servers on this machine, in a throw-away database.\n" +
			"It ignores the configuration and COURANT_ variables. None of its values was ever published.\n" +
			"With --faults the servers fail, in another way every minute; GET /api/status shows how Courant copes.",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.demo(cmd.Context(), faults) },
	}
	cmd.Flags().BoolVar(&faults, "faults", false, "have the simulated servers fail in many ways, one after the other")
	return cmd
}

func (p *Program) demo(ctx context.Context, faults bool) (err error) {
	folder, err := os.MkdirTemp("", "courant-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer os.RemoveAll(folder)
	switches := new(simulator.Switches)
	sources, err := simulator.Start(simulator.Options{Now: p.Clock.Now, Switches: switches})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer sources.Close()
	cfg := config.Default()
	cfg.Database.Path = filepath.Join(folder, "courant.db")
	cfg.RTE = config.RTE{BaseURL: sources.RTEURL, ClientID: simulator.ClientID, ClientSecret: simulator.ClientSecret}
	cfg.ENTSOE = config.ENTSOE{BaseURL: sources.ENTSOEURL, SecurityToken: simulator.SecurityToken}
	if faults {
		fetchOften(&cfg)
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
	password := rand.Text()
	token, err := p.demoAccount(ctx, s, email, password)
	if err != nil {
		return err
	}
	var script sync.WaitGroup
	defer script.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	return s.Run(ctx, func() {
		fmt.Fprintf(p.Stdout, `Courant serves SIMULATED data: none of its values was ever published.

  address   http://%s
  login     %s
  password  %s
  token     %s

  curl -H 'Authorization: Bearer %[4]s' http://%[1]s/api/%[5]s
`, s.Addr(), email, password, token, market.DayAheadPrices)
		if faults {
			p.printFaults(sources, s.Addr(), token)
			faulty := NewDemoScript(switches, p.Clock, log, s.Report)
			script.Go(func() { faulty.Play(ctx) })
		}
		fmt.Fprint(p.Stdout, "\nCtrl-C ends it and leaves nothing behind.\n")
	})
}

func (p *Program) demoAccount(ctx context.Context, s *server.Server, email, password string) (token string, err error) {
	if err := s.Auth().AddUser(ctx, email, password, true); err != nil {
		return "", err
	}
	return s.Auth().CreateToken(ctx, email, "demo", market.DeliveryDate{})
}
