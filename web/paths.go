package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"courant/store/market"
)

// Paths that are not those of pages or forms. Parameters are in braces.
const (
	PathAPI       = "/api/" // followed by the name of an endpoint
	PathUsage     = "/api/usage"
	PathStatus    = "/api/status"
	PathRevisions = "/api/revisions/{dataset}"
	PathDatasets  = "/api/datasets"
	PathDataset   = "/api/datasets/{dataset}"
	PathRows      = "/api/datasets/{dataset}/rows"
	PathArchive   = "/api/datasets/{dataset}/archive"
	// PathArchiveFile is the path of a month.
	PathArchiveFile = "/api/datasets/{dataset}/archive/{month}.parquet"
	PathStream      = "/api/stream"
	PathOpenAPI     = "/api/openapi.json"
	PathMCP         = "/mcp"

	// The paths of webhooks.
	PathWebhooks       = "/api/webhooks"
	PathWebhook        = "/api/webhooks/{id}"
	PathWebhookTest    = "/api/webhooks/{id}/test"
	PathWebhookSecret  = "/api/webhooks/{id}/secret"
	PathWebhookEnable  = "/api/webhooks/{id}/enable"
	PathDeliveries     = "/api/webhooks/{id}/deliveries"
	PathResendDelivery = "/api/webhooks/{id}/deliveries/{delivery}/resend"

	// The paths of price feeds, which a feeds token opens.
	PathEVCC          = "/api/feeds/evcc"
	PathHomeAssistant = "/api/feeds/home-assistant"
	PathEMHASS        = "/api/feeds/emhass"
	PathEnergyCharts  = "/price"
	PathENTSOE        = "/entsoe/api"

	PathLLMs    = "/llms.txt"
	PathCSV     = "/csv/{language}/{dataset}"
	PathHealth  = "/healthz"
	PathReady   = "/readyz"
	PathMetrics = "/metrics"
	PathStatic  = "/static/" // followed by the name of a file
)

// RevisionsPath returns where the revisions of a dataset are.
func RevisionsPath(dataset market.Dataset) string {
	return strings.Replace(PathRevisions, "{dataset}", string(dataset), 1)
}

// DatasetPath returns where a dataset describes itself.
func DatasetPath(dataset market.Dataset) string {
	return strings.Replace(PathDataset, "{dataset}", string(dataset), 1)
}

// RowsPath returns where the rows of a dataset are.
func RowsPath(dataset market.Dataset) string {
	return strings.Replace(PathRows, "{dataset}", string(dataset), 1)
}

// ArchivePath returns where the archive of a dataset is listed.
func ArchivePath(dataset market.Dataset) string {
	return strings.Replace(PathArchive, "{dataset}", string(dataset), 1)
}

// ArchiveFilePath returns where the file of a month of a dataset is.
func ArchiveFilePath(dataset market.Dataset, month market.Month) string {
	return strings.NewReplacer("{dataset}", string(dataset), "{month}", month.String()).Replace(PathArchiveFile)
}

// CSVPath returns where a dataset is as CSV in the form of a language.
func CSVPath(l Language, dataset market.Dataset) string {
	return strings.NewReplacer("{language}", string(l), "{dataset}", string(dataset)).Replace(PathCSV)
}

// WebhookPath returns where a webhook is.
func WebhookPath(id int64) string { return withID(PathWebhook, id) }

// Page is a page of the dashboard. Routes, links, the navigation and the reference take its paths from here.
type Page struct {
	Name    string // in templates: {{path "account"}}
	Path    Text   // in each language; an account's page has {id} in its path
	Section Text   // name in the navigation; zero: the page is not in it
	Summary Text   // in the reference
	Access  Access
}

// In returns the page's path in a language.
func (p Page) In(l Language) string { return p.Path.In(l) }

// Of returns the path, in a language, of the page of one account.
func (p Page) Of(l Language, id int64) string { return withID(p.Path.In(l), id) }

func withID(path string, id int64) string {
	return strings.Replace(path, "{id}", strconv.FormatInt(id, 10), 1)
}

// same returns a text that is the same in both languages.
func same(text string) Text { return Text{text, text} }

var (
	PageOverview = Page{"overview", same("/"), Text{"Aperçu", "Overview"}, Text{"Page : aperçu", "Page: overview"}, AccessAccount}
	PagePrices   = Page{"prices", Text{"/prix", "/prices"}, Text{"Prix", "Prices"}, Text{"Page : prix", "Page: prices"}, AccessAccount}
	PageCapacity = Page{"capacity", Text{"/capacite", "/capacity"}, Text{"Capacité", "Capacity"},
		Text{"Page : capacité", "Page: capacity"}, AccessAccount}
	PageEnergy = Page{"energy", Text{"/energie", "/energy"}, Text{"Énergie", "Energy"},
		Text{"Page : énergie", "Page: energy"}, AccessAccount}
	PageExplore = Page{"explore", Text{"/explorer", "/explore"}, Text{"Explorer", "Explore"},
		Text{"Page : toutes les séries sur n’importe quelle période", "Page: all series over any range"}, AccessAccount}
	PageDocs = Page{"docs", same("/docs"), same("API"),
		Text{"Page : documentation de l’API", "Page: documentation of the API"}, AccessPublic}
	PageProblem = Page{"problem", same("/docs/problems/{code}"), Text{},
		Text{"Page : ce que veut dire un code d’erreur", "Page: what the code of an error means"}, AccessPublic}
	PageStatus = Page{"status", Text{"/etat", "/status"}, Text{"État", "Status"},
		Text{"Page : état des flux", "Page: state of the feeds"}, AccessAccount}
	PageUsers = Page{"users", Text{"/administration", "/admin"}, same("Administration"),
		Text{"Page : comptes", "Page: accounts"}, AccessAdministrator}
	PageUser = Page{"user", Text{"/administration/comptes/{id}", "/admin/users/{id}"}, Text{},
		Text{"Page : un compte", "Page: an account"}, AccessAdministrator}
	PageAudit = Page{"audit", Text{"/administration/journal", "/admin/audit"}, Text{},
		Text{"Page : journal d’audit", "Page: audit log"}, AccessAdministrator}
	PageLogin     = Page{"login", same("/login"), Text{}, Text{"Page : connexion", "Page: sign-in"}, AccessPublic}
	PageForgotten = Page{"forgotten", Text{"/mot-de-passe-oublie", "/forgotten"}, Text{},
		Text{"Page : mot de passe oublié", "Page: forgotten password"}, AccessPublic}
	PageSignUp = Page{"signup", Text{"/inscription", "/signup"}, Text{},
		Text{"Page : créer un compte, si c’est permis", "Page: make an account, if that is allowed"}, AccessPublic}
	PageSetPassword = Page{"setpassword", same("/set-password"), Text{},
		Text{"Page qu’un lien ouvre pour choisir un mot de passe", "Page that a link opens for choosing a password"}, AccessPublic}
	PageOffers  = Page{"offers", Text{"/offres", "/offers"}, Text{}, Text{"Page : offres", "Page: plans"}, AccessPublic}
	PageAccount = Page{"account", Text{"/compte", "/account"}, Text{}, Text{"Page : compte", "Page: account"}, AccessAccount}
	PageAlerts  = Page{"alerts", Text{"/alertes", "/alerts"}, Text{"Alertes", "Alerts"},
		Text{"Page : alertes et webhooks", "Page: alerts and webhooks"}, AccessAccount}
	PageAlert = Page{"alert", Text{"/alertes/{id}", "/alerts/{id}"}, Text{}, Text{"Page : une alerte", "Page: an alert"}, AccessAccount}
	// PageEndAlert is where the link in a mail leads.
	PageEndAlert = Page{"endalert", Text{"/alertes/fin", "/alerts/end"}, Text{},
		Text{"Page : terminer une alerte par son lien", "Page: end an alert by its link"}, AccessPublic}
	PageTokens = Page{"tokens", Text{"/docs/jetons", "/docs/tokens"}, Text{}, Text{"Page : jetons", "Page: tokens"}, AccessAccount}
)

// sitePages are all pages, those of the navigation in its order.
var sitePages = []Page{
	PageOverview, PagePrices, PageCapacity, PageEnergy, PageExplore, PageDocs, PageStatus, PageAlerts, PageUsers, PageUser, PageAudit,
	PageLogin, PageForgotten, PageSignUp, PageSetPassword, PageOffers, PageAccount, PageTokens, PageProblem, PageAlert, PageEndAlert,
}

// Form is a form that a page sends. It has one path for both languages.
type Form struct {
	Name    string // in templates: {{form "logout"}}
	Path    string // with {id} where it is about one account or one delivery date that waits
	Summary Text   // in the reference
	Access  Access
	Fields  []Parameter
}

var (
	FormLanguage = Form{"language", "/language", Text{"Choisir la langue des pages", "Choose the language of the pages"},
		AccessPublic, fields("language", "next")}
	FormLogin     = Form{"login", "/login", Text{"Se connecter", "Sign in"}, AccessPublic, fields("email", "password")}
	FormLogout    = Form{"logout", "/logout", Text{"Se déconnecter", "Sign out"}, AccessPublic, nil}
	FormForgotten = Form{"forgotten", "/forgotten",
		Text{"Demander un lien pour choisir un mot de passe", "Ask for a link for choosing a password"}, AccessPublic, fields("email")}
	FormSignUp      = Form{"signup", "/signup", Text{"Créer un compte", "Create an account"}, AccessPublic, fields("email", "password")}
	FormSetPassword = Form{"setpassword", "/set-password",
		Text{"Choisir le mot de passe d’un lien", "Choose the password of a link"}, AccessPublic, fields("key", "email", "password")}
	FormPassword = Form{"password", "/account/password", Text{"Changer son mot de passe", "Change one’s password"},
		AccessAccount, fields("former", "password")}
	FormSessions = Form{"sessions", "/account/sessions", Text{"Terminer ses autres sessions", "End one’s other sessions"},
		AccessAccount, nil}
	FormTokens = Form{"tokens", "/docs/tokens", Text{"Créer un jeton", "Make a token"},
		AccessAccount, fields("name", "expires", "dataset", "feeds", "webhooks")}
	FormRevokeToken = Form{"revoketoken", "/docs/tokens/revoke", Text{"Révoquer un jeton", "Revoke a token"}, AccessAccount, fields("id")}
	FormAlert       = Form{"alert", "/alerts", Text{"Créer une alerte ou un webhook", "Make an alert or a webhook"},
		AccessAccount, fields("event", "series", "threshold", "by", "url", "description")}
	FormDeleteAlert = Form{"deletealert", "/alerts/{id}/delete", Text{"Terminer une alerte", "End an alert"}, AccessAccount, nil}
	FormTestAlert   = Form{"testalert", "/alerts/{id}/test", Text{"Essayer une alerte", "Try an alert"}, AccessAccount, nil}
	FormEnableAlert = Form{"enablealert", "/alerts/{id}/enable", Text{"Réactiver une alerte", "Enable an alert again"}, AccessAccount, nil}
	FormAlertSecret = Form{"alertsecret", "/alerts/{id}/secret", Text{"Remplacer le secret d’un webhook", "Replace the secret of a webhook"},
		AccessAccount, nil}
	FormResend = Form{"resend", "/alerts/{id}/resend", Text{"Refaire un envoi d’une alerte", "Send a delivery of an alert again"},
		AccessAccount, fields("delivery")}
	FormEndAlert = Form{"endalert", "/alerts/end", Text{"Terminer une alerte par son lien", "End an alert by its link"},
		AccessPublic, fields("id", "key")}
	FormQuarantine = Form{"quarantine", "/admin/quarantine/{id}",
		Text{"Accepter ou rejeter ce qui attend en quarantaine", "Accept or reject what waits in quarantine"}, AccessAdministrator,
		[]Parameter{{Name: "decision", In: "form", Kind: KindString, Values: []string{"accept", "reject"}}}}
	FormInvite    = Form{"invite", "/admin/users", Text{"Inviter", "Invite"}, AccessAdministrator, fields("email", "role")}
	FormSubscribe = Form{"subscribe", "/admin/users/{id}/subscription",
		Text{"Donner ou prolonger un abonnement", "Give or extend a subscription"}, AccessAdministrator, fields("offer", "until")}
	FormUnsubscribe = Form{"unsubscribe", "/admin/users/{id}/unsubscribe",
		Text{"Terminer un abonnement", "End a subscription"}, AccessAdministrator, nil}
	FormDisable = Form{"disable", "/admin/users/{id}/disable", Text{"Désactiver un compte", "Disable an account"},
		AccessAdministrator, nil}
	FormEnable = Form{"enable", "/admin/users/{id}/enable", Text{"Réactiver un compte", "Enable an account again"},
		AccessAdministrator, nil}
	FormLink = Form{"link", "/admin/users/{id}/link",
		Text{"Faire un lien pour choisir un mot de passe", "Make a link for choosing a password"}, AccessAdministrator, nil}
)

var forms = []Form{
	FormLanguage, FormLogin, FormLogout, FormForgotten, FormSignUp, FormSetPassword, FormPassword, FormSessions, FormTokens,
	FormRevokeToken, FormQuarantine, FormInvite, FormSubscribe, FormUnsubscribe, FormDisable, FormEnable, FormLink,
	FormAlert, FormDeleteAlert, FormTestAlert, FormEnableAlert, FormAlertSecret, FormResend, FormEndAlert,
}

// fields returns the fields of a form, which are texts.
func fields(names ...string) []Parameter {
	var all []Parameter
	for _, name := range names {
		all = append(all, Parameter{Name: name, In: "form", Kind: KindString})
	}
	return all
}

// pathNamed returns the path of the page that a template names; the number of an account where the path has one.
func pathNamed(l Language, name string, id ...int64) (string, error) {
	i := slices.IndexFunc(sitePages, func(p Page) bool { return p.Name == name })
	if i < 0 {
		return "", fmt.Errorf("no page is called %q", name)
	}
	return filled(sitePages[i].In(l), id)
}

// formNamed returns the path of the form that a template names, with the number that is in the path, if one is.
func formNamed(name string, id ...int64) (string, error) {
	i := slices.IndexFunc(forms, func(f Form) bool { return f.Name == name })
	if i < 0 {
		return "", fmt.Errorf("no form is called %q", name)
	}
	return filled(forms[i].Path, id)
}

func filled(path string, id []int64) (string, error) {
	if strings.Contains(path, "{id}") != (len(id) == 1) || len(id) > 1 {
		return "", fmt.Errorf("the path %s does not take %d numbers", path, len(id))
	}
	if len(id) == 1 {
		path = withID(path, id[0])
	}
	return path, nil
}
