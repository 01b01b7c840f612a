// Pocketbase is PocketBase with two collections that a signed-in user may list: prices, a record for each row, and document, a
// view that makes one record of them all. Its data lie in the working directory.
//
//	pocketbase load                 stores the rows of stdin, and prints a token
//	pocketbase serve --http=ADDR
package main

import (
	"log"
	"os"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

func main() {
	app := pocketbase.NewWithConfig(pocketbase.Config{HideStartBanner: true, DefaultDataDir: "pb_data"})
	app.OnBootstrap().Unbind(pocketbase.ModerncDepsCheckHookId) // the driver is Courant's, and said on stdout
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.InstallerFunc = nil // it would open a browser to ask for an administrator
		e.Router.Bind(apis.Gzip())
		return e.Next()
	})
	run := app.Start
	if len(os.Args) == 2 && os.Args[1] == "load" {
		run = func() error { return load(app, os.Stdin, os.Stdout) }
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
