package command

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"courant/auth"
	"courant/server/config"
	"courant/store"
	"courant/store/market"
)

func (p *Program) tokenCommand() *cobra.Command {
	token := &cobra.Command{Use: "token", Short: "Manage the tokens of programs that read the API", RunE: group}
	token.AddCommand(p.tokenCreateCommand(), p.tokenListCommand(), p.tokenRevokeCommand())
	return token
}

func (p *Program) tokenCreateCommand() *cobra.Command {
	var name, expires string
	var limit []string
	var feeds, webhooks bool
	cmd := &cobra.Command{
		Use:   "create EMAIL --name NAME",
		Short: "Create a token for an account and print it, once",
		Args:  exactly("EMAIL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if name == "" {
				return usagef("%s needs --name NAME, such as the program that uses the token", cmd.CommandPath())
			}
			end, err := p.dateFlag(cmd, "expires", expires)
			if err != nil {
				return err
			}
			datasets, err := parseDatasets(limit)
			if err != nil {
				return err
			}
			if feeds && len(datasets) > 0 {
				return usagef("--feeds opens only the price feeds, so it does not go with --dataset: leave one of them out")
			}
			if webhooks && (feeds || len(datasets) > 0) {
				return usagef("--webhooks opens only /api/webhooks, so it does not go with --feeds or --dataset: leave one of them out")
			}
			return p.withAuth(cmd.Context(), func(accounts *auth.Auth) error {
				var token string
				switch {
				case feeds:
					token, err = accounts.CreateFeedsToken(cmd.Context(), args[0], name, end)
				case webhooks:
					token, err = accounts.CreateWebhooksToken(cmd.Context(), args[0], name, end)
				default:
					token, err = accounts.CreateToken(cmd.Context(), args[0], name, end, datasets...)
				}
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(p.Stdout, token)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "`NAME` of the token, such as the program that uses it")
	cmd.Flags().StringVar(&expires, "expires", "", "last `DATE` of the token (default without end)")
	cmd.Flags().StringSliceVar(&limit, "dataset", nil, "`DATASET` to which the token is limited; may be given several times (default all)")
	cmd.Flags().BoolVar(&feeds, "feeds", false, "open only the price feeds: /api/feeds/…, /price and /entsoe/api, which take the token in the address too")
	cmd.Flags().BoolVar(&webhooks, "webhooks", false, "open only /api/webhooks")
	return cmd
}

func parseDatasets(names []string) ([]market.Dataset, error) {
	var datasets []market.Dataset
	for _, name := range names {
		dataset, err := config.ParseDataset(name)
		if err != nil {
			return nil, usageError{err.Error()}
		}
		datasets = append(datasets, dataset)
	}
	return datasets, nil
}

// tokenInJSON is a token as token list --json prints it.
type tokenInJSON struct {
	Prefix  string     `json:"prefix"`
	Name    string     `json:"name"`
	Email   string     `json:"email"`
	Created *time.Time `json:"created"`
	Expires *time.Time `json:"expires"`
	Revoked *time.Time `json:"revoked"`
	Opens   string     `json:"opens"`
}

func tokensInJSON(tokens []store.Token) []tokenInJSON {
	list := []tokenInJSON{}
	for _, token := range tokens {
		list = append(list, tokenInJSON{token.Prefix, token.Name, token.Account.Email,
			jsonTime(token.Created), jsonTime(token.Expires), jsonTime(token.Revoked), opens(token)})
	}
	return list
}

func (p *Program) tokenListCommand() *cobra.Command {
	var asJSON bool
	page := auth.Page{Size: listPageSize}
	cmd := &cobra.Command{
		Use:   "list [EMAIL]",
		Short: "List the tokens of one account or of all, valid ones first",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("%d arguments given, at most one expected: %s [EMAIL]", len(args), cmd.CommandPath())
			}
			email := strings.Join(args, "")
			return p.withAuth(cmd.Context(), func(accounts *auth.Auth) error {
				tokens, more, err := accounts.Tokens(cmd.Context(), email, page)
				if err != nil {
					return err
				}
				defer p.hintMore(cmd, page, more)
				if asJSON {
					return p.printJSON(tokensInJSON(tokens))
				}
				rows := [][]string{{"PREFIX", "NAME", "EMAIL", "CREATED", "EXPIRES", "REVOKED", "OPENS"}}
				for _, token := range tokens {
					rows = append(rows, []string{token.Prefix, token.Name, token.Account.Email,
						timeCell(token.Created), timeCell(token.Expires), timeCell(token.Revoked), opens(token)})
				}
				return p.printTable(rows)
			})
		},
	}
	pageFlag(cmd, &page)
	jsonFlag(cmd, &asJSON)
	return cmd
}

// opens names what a token opens: feeds, webhooks, its datasets, or all.
func opens(token store.Token) string {
	return cmp.Or(string(token.Scope), token.Datasets, "all")
}

func (p *Program) tokenRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke PREFIX",
		Short: "Revoke the token that begins with these 12 characters",
		Args:  exactly("PREFIX"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withAuth(cmd.Context(), func(accounts *auth.Auth) error {
				err := accounts.RevokeToken(cmd.Context(), args[0])
				if errors.Is(err, store.ErrNotFound) {
					return fmt.Errorf("%w: courant token list shows the prefixes", err)
				}
				return err
			})
		},
	}
}
