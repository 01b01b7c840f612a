package command

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"courant/server"
	"courant/store"
)

func (p *Program) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of Courant, Go and SQLite",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			sqlite, err := store.SQLiteVersion(cmd.Context())
			if err != nil {
				return err
			}
			b := server.ReadBuild()
			if asJSON {
				return p.printJSON(map[string]string{"version": b.Version, "commit": b.Commit, "go": runtime.Version(), "sqlite": sqlite})
			}
			fmt.Fprintf(p.Stdout, "courant %s\ncommit %s\n%s\nSQLite %s\n", b.Version, b.Commit, runtime.Version(), sqlite)
			return nil
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
