package main

import (
	"context"
	"fmt"

	"courant/server/api"
	"courant/server/config"
)

// greet says how to make the first account, if there is none: on a terminal by a link that works once, elsewhere by the
// command that makes one, so that no link comes into a log.
func (p *program) greet(ctx context.Context, s *service, onTerminal bool) {
	if has, err := s.auth.HasUsers(ctx); err != nil || has {
		return
	}
	if !onTerminal {
		s.log.Warn("nobody can sign in yet: make an account with courant user add EMAIL --admin --password-stdin, or courant user invite EMAIL --admin")
		return
	}
	secret, err := s.auth.FirstLink(ctx)
	if err != nil {
		s.log.Error("no link for the first account", "error", err.Error())
		return
	}
	cfg := s.cfg
	if s.listener != nil {
		cfg.Server.Addr = s.addr()
	}
	fmt.Fprintf(p.stdout, "Nobody can sign in yet. This link makes the administrator's account, once, within 7 days:\n\n  %s\n\n", api.LinkAddress(config.Site(cfg), secret))
}
