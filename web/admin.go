package web

import (
	"strings"

	"courant/auth"
	"courant/store"
	"courant/store/market"
)

// Pager leads from a page of a list to those beside it; an address is empty where there is none.
type Pager struct{ At, Before, After string }

// Users is a page of the accounts.
type Users struct {
	Users []UserLine
	Pager Pager
	Email string // of who was to be invited, as it was typed
	Fault Text   // why he was not; may be empty
}

// UserLine is an account and its subscription.
type UserLine struct {
	store.Account
	Subscription *Subscription // nil: none
}

// HostMissing says that the link is a path alone, because the configuration names no address of this site.
func (u User) HostMissing() bool { return strings.HasPrefix(u.Link, "/") }

// Invited says that the account waits for its person to set a password.
func (u UserLine) Invited() bool { return u.PasswordHash == "" }

// Users renders the page of all accounts.
func (p *Pages) Users(visit Visit, view Users) ([]byte, error) {
	return p.render("users", visit, view)
}

// User is the page of one account.
type User struct {
	UserLine
	Last   bool // it is the last administrator's who can sign in
	Offers []Offer
	Today  market.DeliveryDate
	Link   string // with which its person sets a password, which is shown this once, without a host where that is not known; else empty
	Mailed bool   // the link is on its way by mail too
	Fault  Text   // why something was not done; may be empty
}

// User renders the page of one account.
func (p *Pages) User(visit Visit, view User) ([]byte, error) {
	return p.render("user", visit, view)
}

// Audit is a page of the audit log.
type Audit struct {
	Notes []store.Note // the newest first
	Older int64        // what the next page comes before; 0: there is none
}

// Audit renders a page of the audit log.
func (p *Pages) Audit(visit Visit, view Audit) ([]byte, error) {
	return p.render("audit", visit, view)
}

// eventTexts are the texts of the events of the audit log.
var eventTexts = map[auth.Event]Text{
	auth.SignedIn:           {"Connexion", "Signed in"},
	auth.SignInRefused:      {"Connexion refusée", "Sign-in refused"},
	auth.SignInLimited:      {"Trop de tentatives de connexion", "Too many attempts to sign in"},
	auth.SignedOut:          {"Déconnexion", "Signed out"},
	auth.OtherSessionsEnded: {"Autres sessions terminées", "Other sessions ended"},
	auth.UserAdded:          {"Compte créé", "Account made"},
	auth.UserInvited:        {"Invitation", "Invited"},
	auth.UserDisabled:       {"Compte désactivé", "Account disabled"},
	auth.UserEnabled:        {"Compte réactivé", "Account enabled again"},
	auth.PasswordSet:        {"Mot de passe défini", "Password set"},
	auth.PasswordLinkMade:   {"Lien de mot de passe", "Password link made"},
	auth.TokenCreated:       {"Jeton créé", "Token made"},
	auth.TokenRevoked:       {"Jeton révoqué", "Token revoked"},
	auth.SubscriptionSet:    {"Abonnement donné", "Subscription given"},
	auth.SubscriptionEnded:  {"Abonnement terminé", "Subscription ended"},
	auth.QuarantineAccepted: {"Quarantaine acceptée", "Quarantine accepted"},
	auth.QuarantineRejected: {"Quarantaine rejetée", "Quarantine rejected"},
}

// auditWords are the texts of the words that the audit log has in place of an address or a name.
var auditWords = map[string]Text{
	auth.CommandLine:            {"ligne de commande", "command line"},
	auth.ByLink:                 {"par un lien", "by a link"},
	string(store.Administrator): {"administrateur", "administrator"},
	string(store.Member):        {"membre", "member"},
}
