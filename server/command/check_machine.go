package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"courant/server/config"
)

// nameTimeout is how long the lookup of the domain may take.
const nameTimeout = 10 * time.Second

// checkTimeZone checks that delivery dates have 23, 24 or 25 hours where they should. The time zone data are those in this program, unless
// ZONEINFO or the system provides others.
func checkTimeZone(load func(string) (*time.Location, error)) result {
	v := result{what: "time zone", found: "Europe/Paris changes its clocks as it should"}
	paris, err := load("Europe/Paris")
	if err != nil {
		v.err = fmt.Errorf("the time zone Europe/Paris is missing: %w: unset ZONEINFO, or install the system's tzdata", err)
		return v
	}
	for month, want := range map[time.Month]int{time.January: 3600, time.July: 7200} {
		if _, offset := time.Date(2026, month, 1, 12, 0, 0, 0, paris).Zone(); offset != want {
			v.err = fmt.Errorf("Europe/Paris is %d s from UTC in %s 2026, not %d: unset ZONEINFO, or renew the system's tzdata", offset, month, want)
		}
	}
	return v
}

// checkModes checks that files with secrets are not accessible to every user. Files that do not exist are skipped.
func checkModes(paths []string) result {
	v := result{what: "files", found: "what holds secrets is not for everybody to read"}
	if runtime.GOOS == "windows" {
		v.found = "not looked at: Windows keeps their rights elsewhere"
		return v
	}
	var open []string
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Mode()&0o007 != 0 {
			open = append(open, path)
		}
	}
	if len(open) > 0 {
		v.err = fmt.Errorf("every user of this machine can read %s: chmod o= %[1]s", strings.Join(open, " "))
	}
	return v
}

// secretFiles returns the files that other users may not read. A configuration without secrets is not one of them.
func secretFiles(cfg config.Config, configFile string) []string {
	database := cfg.Database.Path
	files := []string{database, database + "-wal", database + "-shm"}
	if cfg.Server.TLS.Domain != "" {
		files = append(files, cfg.Server.TLS.CacheDir)
	}
	if configFile != "" {
		alone, _, err := config.Load(configFile, nil)
		if err != nil || alone.RTE.ClientSecret+alone.ENTSOE.SecurityToken+alone.SMTP.Password+alone.Backup.S3.SecretKey+alone.Export.S3.SecretKey != "" {
			files = append(files, configFile)
		}
	}
	return files
}

// checkTLS checks that a certificate can be requested and stored.
func checkTLS(ctx context.Context, cfg config.TLS, lookup func(context.Context, string) ([]string, error)) result {
	v := result{what: "TLS name"}
	ctx, cancel := context.WithTimeout(ctx, nameTimeout)
	defer cancel()
	addresses, err := lookup(ctx, cfg.Domain)
	if err != nil || len(addresses) == 0 {
		err = errors.Join(fmt.Errorf("%s is not found: give it an A or AAAA record with this machine's address, or correct server.tls.domain", cfg.Domain), err)
	}
	if folder := os.MkdirAll(cfg.CacheDir, 0o700); folder != nil {
		err = errors.Join(err, fmt.Errorf("%w: set server.tls.cache_dir to a folder that this user may write to", folder))
	}
	v.err = errors.Join(err, checkWritable(cfg.CacheDir, "server.tls.cache_dir"))
	v.found = cfg.Domain + " leads to " + strings.Join(addresses, ", ")
	if !hasOwnAddress(addresses) {
		v.found += ", which is no address of this machine: right only where a router or load balancer passes ports 80 and 443 on"
	}
	return v
}

// checkWritable checks that a folder, which the key sets, can be written to.
func checkWritable(folder, key string) error {
	file, err := os.CreateTemp(folder, ".check-*")
	if err != nil {
		return fmt.Errorf("%w: let this user write to the folder, or set %s", err, key)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// hasOwnAddress reports whether one of the addresses is this machine's.
func hasOwnAddress(addresses []string) bool {
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, one := range interfaces {
		for _, address := range addresses {
			if network, ok := one.(*net.IPNet); ok && network.IP.Equal(net.ParseIP(address)) {
				return true
			}
		}
	}
	return false
}
