package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"courant/server/api"
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
	fmt.Fprintf(p.stdout, "Nobody can sign in yet. This link makes the administrator's account, once, within 7 days:\n\n  %s\n\n", api.LinkAddress(site(cfg), secret))
}

// site is the address of a Courant of this configuration, as good as a command knows it.
func site(cfg Config) string {
	if cfg.Server.PublicURL != "" {
		return cfg.Server.PublicURL
	}
	host, port, err := net.SplitHostPort(cfg.Server.Addr)
	if err != nil {
		return "http://" + cfg.Server.Addr
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "localhost" // it listens on all of this machine's
	}
	return "http://" + net.JoinHostPort(host, port)
}
