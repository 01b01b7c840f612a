package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"courant/auth"
	"courant/server"
	"courant/server/api"
	"courant/server/config"
	"courant/store"
	"courant/store/market"
)

// maxPasswordLine is how many bytes of standard input are read for a password, more than any accepted password has.
const maxPasswordLine = 4096

// listPageSize is how many lines of a list a command prints.
const listPageSize = 1000

func (p *Program) userCommand() *cobra.Command {
	user := &cobra.Command{Use: "user", Short: "Manage accounts and subscriptions", RunE: group}
	user.AddCommand(p.userAddCommand(), p.userListCommand(), p.userPasswdCommand(), p.userDisableCommand(),
		p.userEnableCommand(), p.userInviteCommand(), p.userSubscribeCommand(), p.userUnsubscribeCommand())
	return user
}

// accountCommand returns a command whose only argument is the address of an account; do is called with it.
func (p *Program) accountCommand(use, short string, do func(ctx context.Context, accounts *auth.Auth, email string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: exactly("EMAIL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withAuth(cmd.Context(), func(accounts *auth.Auth) error { return do(cmd.Context(), accounts, args[0]) })
		},
	}
}

// withPassword is accountCommand with a password that is read from standard input.
func (p *Program) withPassword(use, short string, do func(ctx context.Context, accounts *auth.Auth, email, password string) error) *cobra.Command {
	var password string
	var fromStdin bool
	cmd := p.accountCommand(use+" --password-stdin", short, func(ctx context.Context, accounts *auth.Auth, email string) error {
		return do(ctx, accounts, email, password)
	})
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) (err error) { // before the database is opened or created
		password, err = p.readPassword(cmd, fromStdin)
		return err
	}
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from the first line of standard input")
	return cmd
}

func adminFlag(cmd *cobra.Command, admin *bool) {
	cmd.Flags().BoolVar(admin, "admin", false, "an administrator, who needs no subscription")
}

func (p *Program) userAddCommand() *cobra.Command {
	var admin bool
	cmd := p.withPassword("add EMAIL", "Create an account", func(ctx context.Context, accounts *auth.Auth, email, password string) error {
		return accounts.AddUser(ctx, email, password, admin)
	})
	adminFlag(cmd, &admin)
	return cmd
}

func (p *Program) userPasswdCommand() *cobra.Command {
	return p.withPassword("passwd EMAIL", "Change an account's password and end its sessions",
		func(ctx context.Context, accounts *auth.Auth, email, password string) error {
			if err := accounts.SetPassword(ctx, email, password); err != nil {
				return err
			}
			account, err := accounts.User(ctx, email)
			if err == nil && !account.Disabled.IsZero() {
				fmt.Fprintf(p.Stderr, "courant: warning: %[1]s stays disabled: courant user enable %[1]s enables it again\n", account.Email)
			}
			return err
		})
}

// userInJSON is an account as user list --json prints it.
type userInJSON struct {
	Email      string     `json:"email"`
	Role       store.Role `json:"role"`
	Created    *time.Time `json:"created"`
	Disabled   *time.Time `json:"disabled"`
	Offer      string     `json:"offer"` // "" without a subscription
	OfferSince *time.Time `json:"offer_since"`
	OfferUntil *time.Time `json:"offer_until"`
}

func usersInJSON(users []store.Account) []userInJSON {
	list := []userInJSON{}
	for _, user := range users {
		list = append(list, userInJSON{user.Email, user.Role, jsonTime(user.Created), jsonTime(user.Disabled),
			user.Subscription.Offer, jsonTime(user.Subscription.Start), jsonTime(user.Subscription.End)})
	}
	return list
}

func (p *Program) userListCommand() *cobra.Command {
	var asJSON bool
	page := auth.Page{Size: listPageSize}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withAuth(cmd.Context(), func(accounts *auth.Auth) error {
				users, more, err := accounts.Users(cmd.Context(), page)
				if err != nil {
					return err
				}
				defer p.hintMore(cmd, page, more)
				if asJSON {
					return p.printJSON(usersInJSON(users))
				}
				rows := [][]string{{"EMAIL", "ROLE", "CREATED", "DISABLED", "OFFER", "OFFER SINCE", "OFFER UNTIL"}}
				for _, user := range users {
					rows = append(rows, []string{user.Email, string(user.Role), timeCell(user.Created), timeCell(user.Disabled),
						textCell(user.Subscription.Offer), timeCell(user.Subscription.Start), timeCell(user.Subscription.End)})
				}
				return p.printTable(rows)
			})
		},
	}
	pageFlag(cmd, &page)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func pageFlag(cmd *cobra.Command, page *auth.Page) {
	cmd.Flags().IntVar(&page.Number, "page", 1, fmt.Sprintf("`NUMBER` of the page, of %d lines each", page.Size))
}

// hintMore prints how to see the next page, if there is one.
func (p *Program) hintMore(cmd *cobra.Command, page auth.Page, more bool) {
	if more {
		fmt.Fprintf(p.Stderr, "courant: there are more: %s --page %d\n", cmd.CommandPath(), max(page.Number, 1)+1)
	}
}

func (p *Program) userEnableCommand() *cobra.Command {
	return p.accountCommand("enable EMAIL", "Enable a disabled account",
		func(ctx context.Context, accounts *auth.Auth, email string) error { return accounts.Enable(ctx, email) })
}

func (p *Program) userDisableCommand() *cobra.Command {
	return p.accountCommand("disable EMAIL", "Disable an account, with its sessions and tokens",
		func(ctx context.Context, accounts *auth.Auth, email string) error {
			last, err := accounts.Disable(ctx, email)
			if last {
				fmt.Fprintf(p.Stderr, "courant: warning: %[1]s was the last administrator: courant user enable %[1]s enables it again\n", email)
			}
			return err
		})
}

func (p *Program) userInviteCommand() *cobra.Command {
	var admin bool
	cmd := &cobra.Command{
		Use:   "invite EMAIL",
		Short: "Create an account and print a link that sets its password, once, within 7 days",
		Args:  exactly("EMAIL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withAccounts(cmd.Context(), func(cfg config.Config, accounts *auth.Auth) error {
				secret, err := accounts.Invite(cmd.Context(), args[0], admin)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(p.Stdout, api.LinkAddress(config.Site(cfg), secret))
				return err
			})
		},
	}
	adminFlag(cmd, &admin)
	return cmd
}

func (p *Program) userSubscribeCommand() *cobra.Command {
	var offer, until string
	var end market.DeliveryDate
	cmd := p.accountCommand("subscribe EMAIL --offer ID", "Subscribe an account from now on, replacing an earlier subscription",
		func(ctx context.Context, accounts *auth.Auth, email string) error {
			return accounts.Subscribe(ctx, email, offer, end)
		})
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) (err error) {
		if offer == "" {
			return usagef("%s needs --offer ID, one of the configuration's offers", cmd.CommandPath())
		}
		end, err = p.dateFlag(cmd, "until", until)
		return err
	}
	cmd.Flags().StringVar(&offer, "offer", "", "`ID` of an offer of the configuration")
	cmd.Flags().StringVar(&until, "until", "", "last `DATE` of the subscription (default without end)")
	return cmd
}

func (p *Program) userUnsubscribeCommand() *cobra.Command {
	return p.accountCommand("unsubscribe EMAIL", "End an account's subscription",
		func(ctx context.Context, accounts *auth.Auth, email string) error {
			return accounts.Unsubscribe(ctx, email)
		})
}

// withAuth calls fn with the accounts of the configured database, and adds to its error what to do.
func (p *Program) withAuth(ctx context.Context, fn func(*auth.Auth) error) error {
	return p.withAccounts(ctx, func(_ config.Config, accounts *auth.Auth) error { return fn(accounts) })
}

// withAccounts is withAuth with the configuration.
func (p *Program) withAccounts(ctx context.Context, fn func(config.Config, *auth.Auth) error) error {
	return p.withStore(ctx, func(cfg config.Config, db *store.Store) error {
		err := fn(cfg, server.NewAuth(cfg, db, p.Clock, nil))
		switch {
		case errors.As(err, new(auth.InputError)):
			return usageError{err.Error()}
		case errors.Is(err, store.ErrNotFound):
			return fmt.Errorf("%w: courant user list shows the accounts and their subscriptions", err)
		case errors.Is(err, store.ErrExists):
			return fmt.Errorf("%w: courant user passwd changes its password, and courant user enable enables it if it is disabled", err)
		case errors.Is(err, auth.ErrAccountDisabled):
			return fmt.Errorf("%w: choose another one, courant user list shows them", err)
		}
		return err
	})
}

// readPassword reads the first line of standard input, and returns a usage error without the flag for that: there is no other way to give a
// password, since other users can see arguments and the environment.
func (p *Program) readPassword(cmd *cobra.Command, fromStdin bool) (string, error) {
	if !fromStdin {
		return "", usagef("%s reads the password from standard input: %[1]s EMAIL --password-stdin < FILE", cmd.CommandPath())
	}
	line, err := bufio.NewReader(io.LimitReader(p.Stdin, maxPasswordLine)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read the password from standard input: %w", err)
	}
	password := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if password == "" {
		return "", usagef("no password in the first line of standard input")
	}
	return password, nil
}

// dateFlag returns the date in a flag, the zero date if the flag is not set.
func (p *Program) dateFlag(cmd *cobra.Command, flag, text string) (market.DeliveryDate, error) {
	if !cmd.Flags().Changed(flag) {
		return market.DeliveryDate{}, nil
	}
	return p.parseDate(text)
}
