package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"courant/store"
)

func (p *program) backupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write a checked copy of the database, also while it is served",
		Long: "backup writes the database as it is at one moment into a new file, while serve and fetch go on. The copy is checked\n" +
			"before it gets its name, and compressed with zstd if that ends in .zst. A file that is there already is left alone.",
		Example: "  courant backup /mnt/backup/courant-2026-11-24.db.zst",
		Args:    exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd.Context(), func(_ Config, db *store.Store) error {
				if err := db.Backup(cmd.Context(), args[0]); err != nil {
					return err
				}
				fmt.Fprintf(p.stdout, "%s: %d bytes, checked\n", args[0], fileSize(args[0]))
				return nil
			})
		},
	}
}

func (p *program) restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the database",
		Long: "restore reads and checks the whole backup, and only then puts it in the place of the configured database, which is\n" +
			"kept under a name with the date. Nothing else may use the database meanwhile: stop courant serve first.",
		Example: "  courant restore /mnt/backup/courant-2026-11-24.db.zst",
		Args:    exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			kept, err := store.Restore(cmd.Context(), args[0], cfg.Database.Path, p.clock.Now())
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "%s restored from %s\n", cfg.Database.Path, args[0])
			if kept != "" {
				fmt.Fprintf(p.stdout, "the database that was there is kept as %s\n", kept)
			}
			return nil
		},
	}
}
