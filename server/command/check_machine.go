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

// nameTimeout is how long the name of this machine may take to be looked up.
const nameTimeout = 10 * time.Second

// checkTimeZone proves that delivery dates get their 23, 24 and 25 hours: they come from the data in this program, unless
// ZONEINFO or the system gives others.
func checkTimeZone(load func(string) (*time.Location, error)) verdict {
	v := verdict{what: "time zone", said: "Europe/Paris changes its clocks as it should"}
	paris, err := load("Europe/Paris")
	if err != nil {
		v.err = fmt.Errorf("no Europe/Paris: %w: unset ZONEINFO, or install the system's tzdata", err)
		return v
	}
	for month, want := range map[time.Month]int{time.January: 3600, time.July: 7200} {
		if _, offset := time.Date(2026, month, 1, 12, 0, 0, 0, paris).Zone(); offset != want {
			v.err = fmt.Errorf("Europe/Paris is %d s from UTC in %s 2026, not %d: unset ZONEINFO, or renew the system's tzdata", offset, month, want)
		}
	}
	return v
}

// checkModes proves that files which hold secrets are not for everybody; those that are not there are left out.
func checkModes(paths []string) verdict {
	v := verdict{what: "files", said: "what holds secrets is not for everybody to read"}
	if runtime.GOOS == "windows" {
		v.said = "not looked at: Windows keeps their rights elsewhere"
		return v
	}
	var open []string
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Mode()&0o007 != 0 {
			open = append(open, path)
		}
	}
	if len(open) > 0 {
		v.err = fmt.Errorf("every user of this machine can get at %s: chmod o= %[1]s", strings.Join(open, " "))
	}
	return v
}

// secretFiles are the files of a Courant that nobody else may read. A configuration without secrets may be read.
func secretFiles(cfg config.Config, configFile string) []string {
	database := cfg.Database.Path
	files := []string{database, database + "-wal", database + "-shm"}
	if cfg.Server.TLS.Domain != "" {
		files = append(files, cfg.Server.TLS.CacheDir)
	}
	if configFile != "" {
		alone, _, err := config.Load(configFile, nil)
		if err != nil || alone.RTE.ClientSecret+alone.ENTSOE.SecurityToken+alone.SMTP.Password+alone.Backup.S3.SecretKey != "" {
			files = append(files, configFile)
		}
	}
	return files
}

// checkTLS proves that a certificate can be asked for and kept.
func checkTLS(ctx context.Context, cfg config.TLS, lookup func(context.Context, string) ([]string, error)) verdict {
	v := verdict{what: "TLS name"}
	ctx, cancel := context.WithTimeout(ctx, nameTimeout)
	defer cancel()
	addresses, err := lookup(ctx, cfg.Domain)
	if err != nil || len(addresses) == 0 {
		err = errors.Join(fmt.Errorf("%s leads nowhere: give it an A or AAAA record with this machine's address, or mend server.tls.domain", cfg.Domain), err)
	}
	v.err = errors.Join(err, writable(cfg.CacheDir))
	v.said = cfg.Domain + " leads to " + strings.Join(addresses, ", ")
	if !ours(addresses) {
		v.said += ", which is no address of this machine: right only where a router or load balancer passes ports 80 and 443 on"
	}
	return v
}

// writable proves that a folder of certificates can be made and written to.
func writable(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("%w: set server.tls.cache_dir to a folder that this user may write to", err)
	}
	file, err := os.CreateTemp(folder, ".check-*")
	if err != nil {
		return fmt.Errorf("%w: let this user write to the folder, or set server.tls.cache_dir", err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// ours says whether one of the addresses is this machine's.
func ours(addresses []string) bool {
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
