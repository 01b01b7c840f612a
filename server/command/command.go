// Package command is the command line: what each command reads, prints and exits with. What the commands do is done by other packages.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"courant/server"
	"courant/server/config"
	"courant/store"
)

// Exit codes of every command.
const (
	ExitDone   = 0
	ExitFailed = 1 // it was tried and did not work, or was interrupted
	exitUsage  = 2 // the command was used wrongly; nothing was tried
)

// usageError is the error of a command that was used wrongly.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// Program is what all commands share.
type Program struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Clock          clockwork.Clock
	callInterval   time.Duration // the least time between the starts of two calls to a source
	checkTimeout   time.Duration // how long check waits for an answer of a source
	configPath     string
	running        string // the path of the command, such as "courant user add"
	example        string // a configuration file that explains every key, with its default
}

// Run is the whole program, as main and the tests call it, and returns the exit code. example is a configuration file that explains every
// key, with its default.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, example string) int {
	p := &Program{Stdin: stdin, Stdout: stdout, Stderr: stderr, Clock: clockwork.NewRealClock(),
		callInterval: time.Second, checkTimeout: 10 * time.Second, example: example}
	return p.Execute(ctx, args)
}

// Execute runs one command, prints its error in one line, and returns the exit code.
func (p *Program) Execute(ctx context.Context, args []string) int {
	root := p.rootCommand()
	root.SetArgs(args)
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitDone
	}
	fmt.Fprintln(p.Stderr, "courant:", message(err))
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	return ExitFailed
}

func (p *Program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "courant",
		Short:         "The French electricity market in one file",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          group,
		Version:       server.ReadBuild().Version,

		PersistentPreRun: func(cmd *cobra.Command, _ []string) { p.running = cmd.CommandPath() },
	}
	root.SetVersionTemplate("courant {{.Version}}\n")
	root.SetHelpCommand(helpCommand())
	root.PersistentFlags().StringVar(&p.configPath, "config", "", "configuration file (default config.yaml here, else beside the program)")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		p.serveCommand(), p.demoCommand(), p.fetchCommand(), p.feedsCommand(),
		p.userCommand(), p.tokenCommand(), p.exportCommand(), p.backupCommand(), p.restoreCommand(),
		p.initCommand(), p.checkCommand(), p.serviceCommand(), p.versionCommand(),
	)
	p.completeFlags(root)
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil && completion != root {
		completion.Args, completion.RunE = cobra.ArbitraryArgs, group
	}
	return root
}

// helpCommand is cobra's help command, except that an unknown command is a usage error.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) > 0 {
				err = group(about, rest)
			}
			if err != nil {
				return err
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// group runs a command that only has subcommands: it is an error not to name one of them.
func group(cmd *cobra.Command, args []string) error {
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if len(args) == 0 {
		if !cmd.HasParent() {
			cmd.SetOut(cmd.ErrOrStderr())
			if err := cmd.Help(); err != nil {
				return err
			}
			return usagef("give a command")
		}
		return usagef("%s needs a command: %s; see %s -h", cmd.CommandPath(), strings.Join(names, ", "), cmd.CommandPath())
	}
	return usagef("unknown command %q for %s%s", args[0], cmd.CommandPath(), config.OrElse(config.Nearest(args[0], names), names))
}

// noCommand refuses the argument of a command that has subcommands and also runs by itself.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return group(cmd, args)
}

func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usagef("%s: %v; see %s -h", cmd.CommandPath(), err, cmd.CommandPath())
	}
	var names []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) { names = append(names, "--"+flag.Name) })
	slices.Sort(names)
	flag := "--" + unknown.GetSpecifiedName()
	return usagef("%s has no flag %s%s", cmd.CommandPath(), flag, config.OrElse(config.Nearest(flag, names), names))
}

// exactly refuses any other number of arguments than that of words, which name them, such as "EMAIL".
func exactly(words ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != len(words) {
			want := strings.TrimSpace("courant" + strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()) + " " + strings.Join(words, " "))
			return usagef("%d arguments given, %d expected: %s", len(args), len(words), want)
		}
		return nil
	}
}

// config reads the configuration and prints its warnings.
func (p *Program) config() (config.Config, error) {
	cfg, warnings, err := config.Load(p.configPath, os.Environ())
	for _, warning := range warnings {
		fmt.Fprintln(p.Stderr, "courant: warning:", warning)
	}
	return cfg, err
}

// withStore opens the configured database, calls fn and closes it.
func (p *Program) withStore(ctx context.Context, fn func(config.Config, *store.Store) error) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	if err := p.checkDatabaseExists(cfg); err != nil {
		return err
	}
	db, err := store.Open(ctx, cfg.Database.Path)
	if err != nil {
		return err
	}
	return errors.Join(fn(cfg, db), db.Close())
}

// makingDatabase are the commands, beside serve, that create a missing database. Any other command would create an empty one in
// whatever folder it was started.
var makingDatabase = []string{"courant fetch", "courant user add", "courant user invite"}

func (p *Program) checkDatabaseExists(cfg config.Config) error {
	if _, err := os.Stat(cfg.Database.Path); !errors.Is(err, fs.ErrNotExist) || slices.Contains(makingDatabase, p.running) {
		return nil
	}
	if _, err := os.Stat(filepath.Dir(cfg.Database.Path)); err != nil {
		return nil // store.Open explains it
	}
	found, _, err := config.ReadFile(p.configPath, config.ProgramDir())
	if err != nil {
		return err
	}
	from := "the configuration is " + found
	if found == "" {
		from = "no configuration was found here or beside the program"
	}
	return fmt.Errorf("there is no database %s (%s): give --config FILE, or start courant serve, which creates it", cfg.Database.Path, from)
}

// logger returns a logger to standard error. Unless the configuration sets its format, it writes text on a terminal and JSON elsewhere.
func (p *Program) logger(cfg config.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.Level}
	if cfg.Format == "text" || cfg.Format == "" && isTerminal(p.Stderr) {
		return slog.New(slog.NewTextHandler(p.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(p.Stderr, options))
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
