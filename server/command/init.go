package command

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
	"golang.org/x/term"

	"courant/server/config"
)

// firstAnswers are the values that courant init asks for. An empty one leaves the default.
type firstAnswers struct {
	rteClientID, domain, database string
	rteClientSecret, entsoeToken  config.Secret
}

func (p *Program) initCommand() *cobra.Command {
	var answers firstAnswers
	var rteFromStdin, entsoeFromStdin, yes bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a first config.yaml, from questions or flags",
		Long: "init writes config.yaml, or the file that --config names, with every key explained. On a terminal it asks for what no flag\n" +
			"gives. Secrets are typed or read from standard input, one per line, RTE's first. An existing file is never overwritten.",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := p.configPath
			if path == "" {
				path = "config.yaml"
			}
			if _, err := os.Lstat(path); err == nil {
				return fmt.Errorf("%s exists already: edit it, or name another file with --config", path)
			} else if !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%w: name another file with --config", err)
			}
			questions := bufio.NewReader(p.Stdin)
			if err := p.readSecrets(questions, rteFromStdin, &answers.rteClientSecret, entsoeFromStdin, &answers.entsoeToken); err != nil {
				return err
			}
			if isTerminal(p.Stdin) && !yes && !rteFromStdin && !entsoeFromStdin {
				if err := p.askUntil(cmd, questions, &answers); err != nil {
					return err
				}
			}
			return p.writeFirstConfig(path, answers)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&answers.rteClientID, "rte-client-id", "", "client id of your application at RTE")
	flags.BoolVar(&rteFromStdin, "rte-client-secret-stdin", false, "read the application's secret from a line of standard input")
	flags.BoolVar(&entsoeFromStdin, "entsoe-token-stdin", false, "read ENTSO-E's security token from a line of standard input")
	flags.StringVar(&answers.domain, "domain", "", "serve HTTPS for this name, with a certificate of Let's Encrypt, whose terms you accept")
	flags.StringVar(&answers.database, "database", "", "file of the database (default courant.db)")
	flags.BoolVar(&yes, "yes", false, "ask nothing: without a flag, a value keeps its default")
	return cmd
}

// readSecrets reads the secrets that flags announce, one per line.
func (p *Program) readSecrets(in *bufio.Reader, rte bool, rteSecret *config.Secret, entsoe bool, entsoeToken *config.Secret) error {
	for _, wanted := range []struct {
		announced bool
		secret    *config.Secret
		name      string
	}{{rte, rteSecret, "RTE's client secret"}, {entsoe, entsoeToken, "ENTSO-E's security token"}} {
		if !wanted.announced {
			continue
		}
		line, err := readLine(in)
		if err != nil {
			return fmt.Errorf("read %s from standard input: %w", wanted.name, err)
		}
		if line == "" {
			return usagef("%s is missing on standard input: write it on a line of its own, RTE's first", wanted.name)
		}
		*wanted.secret = config.Secret(line)
	}
	return nil
}

// readLine returns the next line without surrounding white space; empty at the end of the input.
func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	return strings.TrimSpace(line), nil
}

// askUntil is ask, but returns when the command is interrupted, and restores the terminal. The read of the terminal cannot be
// interrupted and goes on until the program ends.
func (p *Program) askUntil(cmd *cobra.Command, in *bufio.Reader, answers *firstAnswers) error {
	terminal := int(p.Stdin.(*os.File).Fd())
	before, err := term.GetState(terminal)
	if err != nil {
		return err
	}
	asked := make(chan error, 1)
	go func() { asked <- p.ask(cmd, in, answers) }()
	select {
	case err := <-asked:
		return err
	case <-cmd.Context().Done():
		fmt.Fprintln(p.Stderr)
		return errors.Join(errors.New("interrupted: nothing was written"), term.Restore(terminal, before))
	}
}

// ask asks on the terminal for the values that no flag gives. An empty answer leaves the default; secrets are not echoed.
func (p *Program) ask(cmd *cobra.Command, in *bufio.Reader, answers *firstAnswers) error {
	fmt.Fprintln(p.Stderr, "An empty answer leaves a source off and a default as it is; the file explains every key.")
	text := func(flag, question string, answer *string) (err error) {
		if cmd.Flags().Changed(flag) {
			return nil
		}
		fmt.Fprint(p.Stderr, question+": ")
		*answer, err = readLine(in)
		return err
	}
	secret := func(question string, answer *config.Secret) error {
		fmt.Fprint(p.Stderr, question+" (not shown): ")
		typed, err := term.ReadPassword(int(p.Stdin.(*os.File).Fd()))
		fmt.Fprintln(p.Stderr)
		*answer = config.Secret(strings.TrimSpace(string(typed)))
		return err
	}
	if err := text("rte-client-id", "RTE client id, of an application on https://data.rte-france.com", &answers.rteClientID); err != nil {
		return err
	}
	if answers.rteClientID != "" {
		if err := secret("RTE client secret", &answers.rteClientSecret); err != nil {
			return err
		}
	}
	if err := secret("ENTSO-E security token, of an account on https://transparency.entsoe.eu", &answers.entsoeToken); err != nil {
		return err
	}
	if err := text("domain", "Domain to serve by HTTPS without a proxy, such as courant.example.org", &answers.domain); err != nil {
		return err
	}
	return text("database", "Database file [courant.db]", &answers.database)
}

// writeFirstConfig writes the file if all answers are valid, and prints what to do next.
func (p *Program) writeFirstConfig(path string, answers firstAnswers) error {
	text := p.example
	for _, answer := range []struct{ key, value string }{
		{"server.tls.domain", answers.domain},
		{"database.path", answers.database},
		{"rte.client_id", answers.rteClientID},
		{"rte.client_secret", answers.rteClientSecret.Reveal()},
		{"entsoe.security_token", answers.entsoeToken.Reveal()},
	} {
		if answer.value == "" {
			continue
		}
		var err error
		if text, err = withValue(text, answer.key, answer.value); err != nil {
			return err
		}
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		_, _, err = config.Load(path, nil)
	}
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	named := ""
	if p.configPath != "" {
		named = " --config " + path
	}
	fmt.Fprintf(p.Stdout, "%s is written. Next:\n\n  courant%s check\n  courant%[2]s serve\n", path, named)
	return nil
}

// withValue returns the text of a configuration with another value for a key that it contains.
func withValue(text, key, value string) (string, error) {
	quoted, err := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: value})
	if err != nil {
		return "", err
	}
	names := strings.Split(key, ".")
	lines := strings.Split(text, "\n")
	found := 0 // how many of names, each nested in the one before
	for i, line := range lines {
		indent := strings.Repeat("  ", found)
		switch {
		case !strings.HasPrefix(line, indent+names[found]+":"):
		case found < len(names)-1:
			found++
		default:
			lines[i] = indent + names[found] + ": " + strings.TrimSuffix(string(quoted), "\n")
			return strings.Join(lines, "\n"), nil
		}
	}
	return "", fmt.Errorf("%s is missing in the example of a configuration", key)
}
