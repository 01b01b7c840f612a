package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"courant/store"
)

// build is what the Go toolchain wrote into the program.
type build struct {
	version, commit string
}

func readBuild() build {
	b := build{version: "unknown", commit: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.version = info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			b.commit = setting.Value
		}
	}
	return b
}

// userAgent is how Courant names itself to the sources.
func userAgent() string { return "courant/" + readBuild().version }

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of Courant, Go and SQLite",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			sqlite, err := store.SQLiteVersion(cmd.Context())
			if err != nil {
				return err
			}
			b := readBuild()
			fmt.Fprintf(p.stdout, "courant %s\ncommit %s\n%s\nSQLite %s\n", b.version, b.commit, runtime.Version(), sqlite)
			return nil
		},
	}
}
