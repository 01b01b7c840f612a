package api

import (
	"strconv"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/web"
)

// page sends a page that was rendered, unless that failed, packed where that is accepted: no page shows a secret beside
// something that another site could have sent, so its size tells nothing.
func (s *Server) page(c echo.Context, status int, body []byte, err error) error {
	if err != nil {
		return err
	}
	header := c.Response().Header()
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Accept-Encoding, Accept-Language, Cookie")
	if accept := c.Request().Header["Accept-Encoding"]; len(accept) > 0 && len(body) >= leastPacked && parseAcceptEncoding(accept).prefersGzip() {
		header.Set("Content-Encoding", codingGzip)
		body = quicklyGzipped(body)
	}
	return s.sendCounted(c, status, "text/html; charset=utf-8", body)
}

// visit tells a page who looks at it, and how. The zero Identity is a guest's. A page that reads its query adds that to
// the path; what else came in is not sent back.
func visit(c echo.Context, identity auth.Identity) web.Visit {
	return web.Visit{
		Language: language(c), Path: c.Request().URL.Path, Email: identity.Email, Admin: identity.Admin,
		EndsSoon: identity.EndsSoon,
	}
}

// visitAt is visit for a page whose address is not that of the request, or has a query.
func visitAt(c echo.Context, identity auth.Identity, address string) web.Visit {
	v := visit(c, identity)
	v.Path = address
	return v
}

// So many lines of a list a page shows.
const (
	linesOnAPage    = 100
	sessionsOnAPage = 25
)

// pageOf reads which page of a list is asked for.
func pageOf(c echo.Context) (auth.Page, error) {
	page := auth.Page{Number: 1, Size: linesOnAPage}
	text := c.QueryParam("page")
	if text == "" {
		return page, nil
	}
	var err error
	if page.Number, err = strconv.Atoi(text); err != nil || page.Number < 1 {
		return page, problemInvalidParameter
	}
	return page, nil
}

// pagerOf leads from a page of the list at a path to those beside it.
func pagerOf(path string, page auth.Page, more bool) web.Pager {
	address := func(number int) string {
		if number == 1 {
			return path
		}
		return path + "?page=" + strconv.Itoa(number)
	}
	pager := web.Pager{At: address(page.Number)}
	if page.Number > 1 {
		pager.Before = address(page.Number - 1)
	}
	if more {
		pager.After = address(page.Number + 1)
	}
	return pager
}
