package command

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"courant/server/config"
)

// The paths of courant service install. stateFolder belongs to the service: its database, certificates and configuration.
const (
	unitPath    = "/etc/systemd/system/courant.service"
	userPath    = "/etc/sysusers.d/courant.conf"
	stateFolder = "/var/lib/courant"
)

// systemUser declares the user of the service, for systemd-sysusers. It is a permanent user, not a dynamic one of systemd, so that a
// command can run as the same user while the service runs.
const systemUser = "u courant - \"Courant\" " + stateFolder + "\n"

// unitText is the unit. It limits what an attacker who takes over the process can do: write to one folder, without a way to more rights.
var unitText = template.Must(template.New("unit").Parse(unitTemplate))

//go:embed courant.service.tmpl
var unitTemplate string

// unit is the data for unitText.
type unit struct {
	Program, Config string // absolute
	StateFolder     string
	TLS             bool
	Writable        []string // folders outside of StateFolder that the configuration names
}

// hiddenPath returns a path in the unit that the service would not see, or "".
func (u unit) hiddenPath() string {
	for _, path := range append([]string{u.Program, u.Config}, u.Writable...) {
		for _, hidden := range []string{"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"} {
			if strings.HasPrefix(path+"/", hidden) {
				return path
			}
		}
	}
	return ""
}

func (p *Program) serviceCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "service", Short: "Run courant serve as a service of systemd, from boot on", Args: cobra.ArbitraryArgs, RunE: group}
	cmd.AddCommand(p.serviceInstallCommand(), p.serviceUninstallCommand())
	return cmd
}

func (p *Program) serviceInstallCommand() *cobra.Command {
	var printOnly bool
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Create the user courant and a hardened unit, and enable it",
		Long: "install creates a systemd unit that runs this program as the user courant, with the configuration that --config names or\n" +
			"else " + stateFolder + "/config.yaml, which that user must be able to read. Run it again when server.tls.domain or a\n" +
			"folder changes in it.",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			u, err := p.newUnit(printOnly)
			if err != nil {
				return err
			}
			if printOnly {
				return unitText.Execute(p.Stdout, u)
			}
			return p.installService(cmd.Context(), u)
		},
	}
	cmd.Flags().BoolVar(&printOnly, "print", false, "print the unit, and change nothing")
	return cmd
}

func (p *Program) serviceUninstallCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "uninstall",
		Short: "Stop the service and remove its unit; data, configuration and user stay",
		Args:  exactly(),
		RunE:  func(cmd *cobra.Command, _ []string) error { return p.uninstallService(cmd.Context()) },
	}
}

// newUnit returns the unit for this program and its configuration. Without a configuration file it uses the defaults if orDefaults is set.
func (p *Program) newUnit(orDefaults bool) (unit, error) {
	u := unit{Config: filepath.Join(stateFolder, "config.yaml"), StateFolder: stateFolder}
	if p.configPath != "" {
		absolute, err := filepath.Abs(p.configPath)
		if err != nil {
			return unit{}, err
		}
		u.Config = absolute
	}
	program, err := os.Executable()
	if err == nil {
		u.Program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		return unit{}, fmt.Errorf("find this program: %w", err)
	}
	for _, path := range []string{u.Program, u.Config} {
		if strings.ContainsAny(path, "\"\\%$\n") {
			return unit{}, fmt.Errorf("%q: a unit cannot name it: move it to a path without quotes, backslashes, %% and $", path)
		}
	}
	cfg, _, err := config.Load(u.Config, nil) // the service does not have the variables of this shell
	switch {
	case errors.Is(err, fs.ErrNotExist) && p.configPath == "" && orDefaults:
		return u, nil
	case errors.Is(err, fs.ErrNotExist) && p.configPath == "":
		return unit{}, fmt.Errorf("no %s: create it with courant init in that folder, or name another with --config", u.Config)
	case err != nil:
		return unit{}, err
	}
	u.TLS = cfg.Server.TLS.Domain != ""
	for _, folder := range foldersOf(cfg) {
		if filepath.IsAbs(folder) && !strings.HasPrefix(folder+"/", stateFolder+"/") && !slices.Contains(u.Writable, folder) {
			u.Writable = append(u.Writable, folder)
		}
	}
	return u, nil
}

// foldersOf returns the folders that serve writes to, as they are in the configuration.
func foldersOf(cfg config.Config) []string {
	folders := []string{filepath.Dir(cfg.Database.Path)}
	if cfg.Server.TLS.Domain != "" {
		folders = append(folders, filepath.Clean(cfg.Server.TLS.CacheDir))
	}
	for _, folder := range []string{cfg.Backup.To, cfg.Export.To} {
		if folder != "" {
			folders = append(folders, filepath.Clean(folder))
		}
	}
	return folders
}

// requireSystemd returns an error on a machine without systemd, or if the user is not root.
func requireSystemd(ctx context.Context) error {
	if _, err := exec.LookPath("systemctl"); err != nil {
		return errors.New("no systemctl here: courant service is for systemd; let your service manager run courant serve")
	}
	if os.Geteuid() != 0 {
		return errors.New("only root may change the services: run it with sudo")
	}
	return ctx.Err()
}

func (p *Program) installService(ctx context.Context, u unit) error {
	if err := requireSystemd(ctx); err != nil {
		return err
	}
	if path := u.hiddenPath(); path != "" {
		return fmt.Errorf("%s: the service cannot read home and temporary folders: move it, programs best to /usr/local/bin", path)
	}
	var text strings.Builder
	if err := unitText.Execute(&text, u); err != nil {
		return err
	}
	for path, content := range map[string]string{userPath: systemUser, unitPath: text.String()} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	if err := errors.Join(os.MkdirAll(stateFolder, 0o700), os.Chmod(stateFolder, 0o700)); err != nil {
		return err
	}
	commands := [][]string{{"systemd-sysusers", userPath}, {"chown", "-hR", "courant:courant", stateFolder}}
	for _, folder := range u.Writable { // systemd does not start a unit whose folders are missing
		switch err := os.Mkdir(folder, 0o700); {
		case err == nil:
			commands = append(commands, []string{"chown", "-h", "courant:courant", folder})
		case !errors.Is(err, fs.ErrExist):
			return err
		}
	}
	commands = append(commands, []string{"systemctl", "daemon-reload"}, []string{"systemctl", "enable", "--quiet", "courant"})
	for _, command := range commands {
		if err := runTool(ctx, command); err != nil {
			return err
		}
	}
	fmt.Fprintf(p.Stdout, "courant starts at boot from now on, as the user courant, in %s.\n\n  systemctl restart courant\n  journalctl -fu courant\n", stateFolder)
	return nil
}

func (p *Program) uninstallService(ctx context.Context) error {
	if err := requireSystemd(ctx); err != nil {
		return err
	}
	if _, err := os.Stat(unitPath); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no %s: the service is not installed", unitPath)
	}
	if err := runTool(ctx, []string{"systemctl", "disable", "--quiet", "--now", "courant"}); err != nil {
		return err
	}
	for _, path := range []string{unitPath, userPath} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := runTool(ctx, []string{"systemctl", "daemon-reload"}); err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "The service is removed. Its data stay in %s, owned by the user courant.\n", stateFolder)
	return nil
}

// runTool runs a command of the system. The error contains its output.
func runTool(ctx context.Context, command []string) error {
	output, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, strings.Join(strings.Fields(string(output)), " "))
	}
	return nil
}
