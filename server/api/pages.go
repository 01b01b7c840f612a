package api

import (
	"strconv"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/web"
)

// page sends a page that was rendered, or returns the error of rendering it. It compresses the page where the client
// accepts that: no page has a secret next to a text that another site could choose, so its size reveals nothing.
func (s *Server) page(c echo.Context, status int, body []byte, err error) error {
	if err != nil {
		return err
	}
	header := c.Response().Header()
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Accept-Encoding, Accept-Language, Cookie")
	accept := c.Request().Header["Accept-Encoding"]
	if len(accept) > 0 && len(body) >= leastCompressed && parseAcceptEncoding(accept).prefersGzip() {
		header.Set("Content-Encoding", codingGzip)
		body = quicklyGzipped(body)
	}
	return s.sendCounted(c, status, "text/html; charset=utf-8", body)
}

// visit returns the visitor and the language of a page. A guest has the zero Identity. A page that reads its query adds
// what it has read to the path: nothing else of the request is sent back.
func visit(c echo.Context, identity auth.Identity) web.Visit {
	return web.Visit{
		Language: language(c), Path: c.Request().URL.Path, Email: identity.Email, Admin: identity.Admin,
		EndsSoon: identity.EndsSoon,
	}
}

// visitAt is visit for a page whose address is not the path of the request, or has a query.
func visitAt(c echo.Context, identity auth.Identity, address string) web.Visit {
	v := visit(c, identity)
	v.Path = address
	return v
}

// How many lines of a list are on a page.
const (
	linesOnAPage    = 100
	sessionsOnAPage = 25
)

// pageOf returns the page of a list that the query asks for.
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

// pagerOf returns the links from a page of the list at path to the previous and the next page.
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
