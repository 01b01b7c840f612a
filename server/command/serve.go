package command

import (
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"courant/server"
	"courant/server/config"
)

func (p *Program) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Collect the feeds and serve API and dashboard until interrupted",
		Long: "serve collects the feeds on their schedules and serves the API and the dashboard at server.addr, until SIGINT or SIGTERM\n" +
			"ends it (exit code 0). It creates the database if there is none. Feeds without credentials are off. Its log goes to\n" +
			"standard error. If there is no account yet, it prints a link that makes the administrator's.",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			log := p.logger(cfg.Log)
			s, err := server.Open(cmd.Context(), cfg, server.Options{
				Clock: p.Clock, Log: log, Lines: server.LineEachFeed(p.callInterval), Explain: withHint,
			})
			if cmd.Context().Err() != nil && s == nil {
				return nil // interrupted while it started
			}
			if err != nil {
				return err
			}
			end := func() {}
			defer func() { end() }()
			err = s.Run(cmd.Context(), func() {
				end = s.NotifySystemd(cmd.Context())
				if cfg.Ingest.Enabled {
					warnOff(cfg, log)
				}
				p.greet(cmd.Context(), cfg, s, isTerminal(p.Stdout))
			})
			return errors.Join(err, s.Close())
		},
	}
}

// warnOff logs which feeds have no credentials.
func warnOff(cfg config.Config, log *slog.Logger) {
	if !cfg.RTE.IsOn() {
		log.Warn("the RTE feeds are off: set " + credentialKeys["RTE"])
	}
	if !cfg.ENTSOE.IsOn() {
		log.Warn("the ENTSO-E feed is off: set " + credentialKeys["ENTSO-E"])
	}
}
