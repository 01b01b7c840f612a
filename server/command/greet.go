package command

import (
	"context"
	"fmt"

	"courant/server"
	"courant/server/api"
	"courant/server/config"
)

// greet shows how to make the first account, if there is none: on a terminal it prints a link that works once; elsewhere it logs the
// command that makes an account, so that no link gets into a log.
func (p *Program) greet(ctx context.Context, cfg config.Config, s *server.Server, onTerminal bool) {
	if has, err := s.Auth().HasUsers(ctx); err != nil || has {
		return
	}
	if !onTerminal {
		p.logger(cfg.Log).Warn("there is no account yet: create one with courant user add EMAIL --admin --password-stdin, or courant user invite EMAIL --admin")
		return
	}
	secret, err := s.Auth().FirstLink(ctx)
	if err != nil {
		p.logger(cfg.Log).Error("no link for the first account", "error", err.Error())
		return
	}
	if addr := s.Addr(); addr != "" {
		cfg.Server.Addr = addr
	}
	fmt.Fprintf(p.Stdout, "There is no account yet. This link creates the administrator's account; it works once, within 7 days:\n\n  %s\n\n",
		api.LinkAddress(config.Site(cfg), secret))
}
