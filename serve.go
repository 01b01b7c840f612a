package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"courant/ingest/simulator"
	"courant/store"
)

func (p *program) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Collect the feeds and serve API and dashboard until interrupted",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			s, err := openService(cmd.Context(), cfg, p.clock, p.logger(cfg.Log), p.lineEachFeed(), false)
			if cmd.Context().Err() != nil && s == nil {
				return nil // told to stop while it started
			}
			if err != nil {
				return err
			}
			return s.run(cmd.Context(), func() { p.greet(cmd.Context(), s, isTerminal(p.stdout)) })
		},
	}
}

func (p *program) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Serve simulated data: no file, no credentials, no network needed",
		Long: "demo runs Courant against simulated RTE and ENTSO-E servers on this machine, in a throw-away database.\n" +
			"It ignores the configuration and COURANT_ variables. None of its values was ever published.",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.demo(cmd.Context()) },
	}
}

func (p *program) demo(ctx context.Context) (err error) {
	folder, err := os.MkdirTemp("", "courant-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer os.RemoveAll(folder)
	sources, err := simulator.Start(simulator.Options{Now: p.clock.Now})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer sources.Close()
	cfg := defaultConfig()
	cfg.Database.Path = filepath.Join(folder, "courant.db")
	cfg.RTE = RTEConfig{BaseURL: sources.RTEURL, ClientID: simulator.ClientID, ClientSecret: simulator.ClientSecret}
	cfg.ENTSOE = ENTSOEConfig{BaseURL: sources.ENTSOEURL, SecurityToken: simulator.SecurityToken}
	s, err := openService(ctx, cfg, p.clock, p.logger(cfg.Log), nil, true)
	if isPortTaken(err) {
		cfg.Server.Addr = "127.0.0.1:0"
		s, err = openService(ctx, cfg, p.clock, p.logger(cfg.Log), nil, true)
	}
	if err != nil {
		return err
	}
	const email = "demo@courant.example"
	password := rand.Text()
	token, err := p.demoAccount(ctx, s, email, password)
	if err != nil {
		return err
	}
	return s.run(ctx, func() {
		fmt.Fprintf(p.stdout, `Courant serves SIMULATED data: none of its values was ever published.

  address   http://%s
  login     %s
  password  %s
  token     %s

  curl -H 'Authorization: Bearer %[4]s' http://%[1]s/api/%[5]s

Ctrl-C ends it and leaves nothing behind.
`, s.addr(), email, password, token, store.DayAheadPrices)
	})
}

func (p *program) demoAccount(ctx context.Context, s *service, email, password string) (token string, err error) {
	if err := s.auth.AddUser(ctx, email, password, true); err != nil {
		return "", err
	}
	return s.auth.CreateToken(ctx, email, "demo", store.DeliveryDate{})
}
