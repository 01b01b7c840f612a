package command

import (
	"errors"

	"github.com/spf13/cobra"

	"courant/server"
)

func (p *Program) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Collect the feeds and serve API and dashboard until interrupted",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			s, err := server.Open(cmd.Context(), cfg, server.Options{Clock: p.Clock, Log: p.logger(cfg.Log), Lines: server.LineEachFeed(p.callInterval)})
			if cmd.Context().Err() != nil && s == nil {
				return nil // told to stop while it started
			}
			if err != nil {
				return err
			}
			end := func() {}
			defer func() { end() }()
			err = s.Run(cmd.Context(), func() {
				end = s.TellSystemd(cmd.Context())
				p.greet(cmd.Context(), cfg, s, isTerminal(p.Stdout))
			})
			return errors.Join(err, s.Close())
		},
	}
}
