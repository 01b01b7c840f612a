package command

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"courant/server/config"
)

// flagValues are what the shell completes the values of flags with, by the name of the flag in every command.
func (p *Program) flagValues() map[string]func() []string {
	dates := func() []string { return []string{"yesterday", "today", "tomorrow"} }
	return map[string]func() []string{
		"from": dates, "to": dates, "until": dates, "expires": dates,
		"dataset": func() []string { return datasetNames()[1:] }, // without "all"
		"offer":   p.offerIDs,
	}
}

// offerIDs returns the offers of the configuration; none if it cannot be read.
func (p *Program) offerIDs() []string {
	cfg, _, err := config.Load(p.configPath, os.Environ())
	if err != nil {
		return nil
	}
	var ids []string
	for _, offer := range cfg.Offers {
		ids = append(ids, offer.ID)
	}
	return ids
}

// completeFlags adds the completion of the values of flags to a command and those below it.
func (p *Program) completeFlags(cmd *cobra.Command) {
	for name, values := range p.flagValues() {
		if cmd.Flags().Lookup(name) == nil {
			continue
		}
		// The only error is that there is no such flag.
		_ = cmd.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return values(), cobra.ShellCompDirectiveNoFileComp
		})
	}
	if !strings.Contains(cmd.Use, "FILE") && cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 {
		cmd.ValidArgsFunction = cobra.NoFileCompletions // its arguments are no files
	}
	for _, sub := range cmd.Commands() {
		p.completeFlags(sub)
	}
}
