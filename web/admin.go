package web

import (
	"strings"
	"time"

	"courant/auth"
	"courant/store/market"
)

// Pager has the addresses of this page of a list, the previous and the next one; empty where there is none.
type Pager struct{ At, Before, After string }

// Users is a page of the accounts.
type Users struct {
	Users []UserLine
	Pager Pager
	Email string // of the invitation that failed, as it was typed
	Fault Text   // why the invitation failed; may be empty
}

// UserLine is an account and its subscription.
type UserLine struct {
	ID           int64
	Email        string
	Admin        bool
	Invited      bool // no password was set yet
	Created      time.Time
	Disabled     time.Time     // zero: it is not
	Subscription *Subscription // nil: none
}

// HostMissing reports whether the link is only a path, because the configuration has no address of this site.
func (u User) HostMissing() bool { return strings.HasPrefix(u.Link, "/") }

// Has reports whether the account is subscribed to the offer, whether the subscription is active or not.
func (u UserLine) Has(offer Offer) bool {
	return u.Subscription != nil && u.Subscription.Offer == offer.ID
}

// Users renders the page of all accounts.
func (p *Pages) Users(visit Visit, view Users) ([]byte, error) {
	return p.render("users", visit, view)
}

// User is the page of one account.
type User struct {
	UserLine
	Last   bool // it is the last administrator who can sign in
	Offers []Offer
	Today  market.DeliveryDate
	Link   string // a new link for setting the password, shown only now, without a host if that is unknown; else empty
	Mailed bool   // the link was mailed too
	Fault  Text   // why the last form was refused; may be empty
}

// User renders the page of one account.
func (p *Pages) User(visit Visit, view User) ([]byte, error) {
	return p.render("user", visit, view)
}

// Audit is a page of the audit log.
type Audit struct {
	Lines []AuditLine // the newest first
	Older int64       // the ID before which the next page begins; 0: there is none
}

// AuditLine is a line of the audit log.
type AuditLine struct {
	At      time.Time
	Event   string
	Actor   string // empty: somebody who has not signed in
	Subject string // whom or what it was done to; may be empty
	Detail  string // may be empty
	Origin  string // the network address that it came from; empty: this machine
	More    int64  // how many events like this one followed on that day without a line of their own
}

// Audit renders a page of the audit log.
func (p *Pages) Audit(visit Visit, view Audit) ([]byte, error) {
	return p.render("audit", visit, view)
}

// eventTexts are the texts of the events of the audit log.
var eventTexts = map[auth.Event]Text{
	auth.SignedIn:           {"Connexion", "Signed in"},
	auth.SignInRefused:      {"Connexion refusée", "Sign-in refused"},
	auth.SignInLimited:      {"Trop de tentatives de connexion", "Too many sign-in attempts"},
	auth.SignedOut:          {"Déconnexion", "Signed out"},
	auth.OtherSessionsEnded: {"Autres sessions fermées", "Other sessions signed out"},
	auth.UserAdded:          {"Compte créé", "Account created"},
	auth.UserInvited:        {"Invitation", "Invited"},
	auth.UserDisabled:       {"Compte désactivé", "Account disabled"},
	auth.UserEnabled:        {"Compte réactivé", "Account enabled"},
	auth.PasswordSet:        {"Mot de passe défini", "Password set"},
	auth.PasswordLinkMade:   {"Lien de mot de passe créé", "Password link created"},
	auth.TokenCreated:       {"Jeton créé", "Token created"},
	auth.TokenRevoked:       {"Jeton révoqué", "Token revoked"},
	auth.SubscriptionSet:    {"Abonnement attribué", "Subscription assigned"},
	auth.SubscriptionEnded:  {"Abonnement résilié", "Subscription ended"},
	auth.QuarantineAccepted: {"Quarantaine acceptée", "Quarantine accepted"},
	auth.QuarantineRejected: {"Quarantaine rejetée", "Quarantine rejected"},
	auth.HookAdded:          {"Alerte créée", "Alert made"},
	auth.HookDeleted:        {"Alerte terminée", "Alert ended"},
	auth.HookEnabled:        {"Alerte réactivée", "Alert enabled again"},
	auth.HookDisabled:       {"Alerte désactivée", "Alert disabled"},
	auth.HookSecretReplaced: {"Secret d’un webhook remplacé", "Secret of a webhook replaced"},
}

// auditWords are the texts of the words that the audit log has in place of an address or a name.
var auditWords = map[string]Text{
	auth.CommandLine:       {"ligne de commande", "command line"},
	auth.Itself:            same("Courant"),
	auth.ByLink:            {"par un lien", "by a link"},
	auth.AdministratorRole: {"administrateur", "administrator"},
	auth.MemberRole:        {"membre", "member"},
}
