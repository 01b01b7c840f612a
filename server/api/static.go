package api

import (
	"mime"
	"path"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"courant/web"
)

// files are the files that pages load, by name.
var files = sync.OnceValue(func() map[string]*document {
	all := map[string]*document{}
	for name, content := range web.StaticFiles() {
		all[name] = newDocument(mime.TypeByExtension(path.Ext(name)), content)
		all[name].compress()
	}
	return all
})

// static sends a file that pages load. Folders are not found.
func (s *Server) static(c echo.Context) error {
	name := strings.TrimPrefix(c.Request().URL.Path, web.PathStatic)
	file, found := files()[name]
	if !found {
		return problemNotFound
	}
	return s.sendDocument(c, file, cacheOneHour)
}
