package main

import (
	"github.com/jonboulle/clockwork"

	"courant/ingest/source"
)

// The sources' patience is measured in real time, whatever the time of the market.

// lineEachHost has the calls to a source wait for one another, whatever they ask for.
func (p *program) lineEachHost() source.Lines {
	return source.OneLineEachHost(clockwork.NewRealClock(), p.callInterval)
}

// lineEachFeed has the calls of one feed wait for one another: a feed that hangs holds up no other.
func (p *program) lineEachFeed() source.Lines {
	return source.OneLineEachResource(clockwork.NewRealClock(), p.callInterval)
}
