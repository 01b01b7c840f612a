package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"courant/server"
	"courant/server/config"
	"courant/store"
	"courant/store/backup"
	"courant/store/disk"
)

func (p *Program) backupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Back up the database to a checked copy, also while serve runs",
		Long: "backup writes the database as it is at one moment to a new file, while serve and fetch go on. The copy is checked\n" +
			"before it gets its name, and compressed with zstd if the name ends in .zst. An existing file is never overwritten.\n" +
			"FILE.sha256 beside it has its checksum, which sha256sum -c and courant restore compare.",
		Example: "  courant backup /mnt/backup/courant-2026-11-24.db.zst",
		Args:    exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd.Context(), func(cfg config.Config, db *store.Store) error {
				if err := disk.RoomForBackup(cfg.Database.Path, args[0]); err != nil {
					return err
				}
				if err := db.Backup(cmd.Context(), args[0]); err != nil {
					return err
				}
				fmt.Fprintf(p.Stdout, "%s: %d bytes, checked\n", args[0], disk.FileSize(args[0]))
				added, err := db.Additions(cmd.Context())
				if len(added) > 0 {
					fmt.Fprintf(p.Stdout, "courant restore will refuse it, because these are not Courant's: %s\n", strings.Join(added, ", "))
				}
				return err
			})
		},
	}
}

func (p *Program) restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Replace the database with a backup",
		Long: "restore reads and checks the whole backup, and only then replaces the configured database with it. The old database is\n" +
			"kept under a name with the date. No other program may use the database meanwhile: stop courant serve first.\n" +
			"The backup is compared with FILE.sha256 beside it, if there is one.\n" +
			"FILE may be s3://BUCKET/KEY, in a bucket at the endpoint of backup.s3; courant check names the newest of backup.s3.bucket.",
		Example: "  courant restore /mnt/backup/courant-2026-11-24.db.zst\n" +
			"  courant restore s3://backups/courant/courant-20261124T023000Z.db.zst",
		Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			done, err := restore(cmd.Context(), cfg, args[0], p.Clock.Now())
			if errors.Is(err, store.ErrPathTaken) {
				return hintedError{err, "move it away, or set database.path to another file"}
			}
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return hintedError{fmt.Errorf("%s is cut off: %w", args[0], err), "copy it again, or take another backup"}
			}
			if errors.Is(err, fs.ErrNotExist) && !strings.HasPrefix(args[0], "s3://") {
				return hintedError{err, "name a file that courant backup or backup.to has made"}
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(p.Stdout, "%s restored from %s\n", cfg.Database.Path, args[0])
			if !done.Summed {
				fmt.Fprintf(p.Stdout, "there is no %s%s: it was checked, but compared with no checksum\n", args[0], store.ChecksumSuffix)
			}
			if done.Kept != "" {
				fmt.Fprintf(p.Stdout, "the earlier database is kept as %s\n", done.Kept)
			}
			return nil
		},
	}
}

// restore restores the database from a file, or from s3://BUCKET/KEY.
func restore(ctx context.Context, cfg config.Config, from string, now time.Time) (store.Restored, error) {
	room := disk.RoomForRestore(cfg.Database.Path)
	address, found := strings.CutPrefix(from, "s3://")
	if !found {
		return store.Restore(ctx, from, cfg.Database.Path, now, room)
	}
	name, key, _ := strings.Cut(address, "/")
	if _, err := config.ParseBucket(name); err != nil || name == "" || key == "" {
		return store.Restored{}, usagef("%s is not s3://BUCKET/KEY: write one such as s3://backups/courant/courant-20261124T023000Z.db.zst", from)
	}
	if cfg.Backup.S3.Bucket == "" {
		return store.Restored{}, fmt.Errorf("%s: set backup.s3 first, to the address and keys of the bucket", from)
	}
	in := server.BucketOf(cfg.Backup.S3).Options
	in.Name = name
	return backup.Restore(ctx, in, key, cfg.Database.Path, now, room)
}
