package web_test

import (
	"courant/web"
)

// marketPages renders the pages that show the market, in every state that they can be in.
func marketPages(r rendering, p *web.Pages, language web.Language) {
	member := web.Visit{Language: language, Path: "/", Email: "anne@example.org"}
	r.keep("overview")(p.Overview(member, web.Overview{}))
	r.keep("overview of an administrator under attack")(p.Overview(web.Visit{Language: language, Path: "/?" + hostile, Email: hostile, Admin: true}, web.Overview{}))
}
