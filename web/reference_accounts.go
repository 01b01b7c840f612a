package web

import "slices"

// accountRoutes are the pages of signing in, of accounts, tokens and offers and of administration, and their forms.
func accountRoutes() []Route {
	// one is a page or a form of one account.
	one := func(route Route) Route {
		route.Parameters = []Parameter{{Name: "id", In: "path", Text: Text{"Numéro du compte", "Number of the account"}, Kind: KindInteger}}
		return route
	}
	user := pagesAt(AccessAdministrator, Text{"Page : un compte", "Page: an account"}, "/administration/comptes/{id}", "/admin/users/{id}")
	return slices.Concat(
		pagesAt(AccessPublic, Text{"Page : connexion", "Page: sign-in"}, "/login"),
		pagesAt(AccessPublic, Text{"Page : mot de passe oublié", "Page: forgotten password"}, "/mot-de-passe-oublie", "/forgotten"),
		pagesAt(AccessPublic, Text{"Page : créer un compte, si c’est permis", "Page: make an account, if that is allowed"}, "/inscription", "/signup"),
		pagesAt(AccessPublic, Text{"Page qu’un lien ouvre pour choisir un mot de passe", "Page that a link opens for choosing a password"}, "/set-password"),
		pagesAt(AccessPublic, Text{"Page : offres", "Page: plans"}, "/offres", "/offers"),
		pagesAt(AccessAccount, Text{"Page : compte", "Page: account"}, "/compte", "/account"),
		pagesAt(AccessAccount, Text{"Page : jetons", "Page: tokens"}, "/docs/jetons", "/docs/tokens"),
		pagesAt(AccessAdministrator, Text{"Page : comptes", "Page: accounts"}, "/administration", "/admin"),
		[]Route{one(user[0]), one(user[1])},
		pagesAt(AccessAdministrator, Text{"Page : journal d’audit", "Page: audit log"}, "/administration/journal", "/admin/audit"),
		[]Route{
			formAt(AccessPublic, "/login", Text{"Se connecter", "Sign in"}, "email", "password"),
			formAt(AccessPublic, "/logout", Text{"Se déconnecter", "Sign out"}),
			formAt(AccessPublic, "/forgotten", Text{"Demander un lien pour choisir un mot de passe", "Ask for a link for choosing a password"}, "email"),
			formAt(AccessPublic, "/signup", Text{"Créer un compte", "Make an account"}, "email", "password"),
			formAt(AccessPublic, "/set-password", Text{"Choisir le mot de passe d’un lien", "Choose the password of a link"}, "key", "email", "password"),
			formAt(AccessAccount, "/account/password", Text{"Changer son mot de passe", "Change one’s password"}, "former", "password"),
			formAt(AccessAccount, "/account/sessions", Text{"Terminer ses autres sessions", "End one’s other sessions"}),
			formAt(AccessAccount, "/docs/tokens", Text{"Créer un jeton", "Make a token"}, "name", "expires", "dataset"),
			formAt(AccessAccount, "/docs/tokens/revoke", Text{"Révoquer un jeton", "Revoke a token"}, "id"),
			formAt(AccessAdministrator, "/admin/users", Text{"Inviter", "Invite"}, "email", "role"),
			one(formAt(AccessAdministrator, "/admin/users/{id}/subscription", Text{"Donner ou prolonger un abonnement", "Give or extend a subscription"}, "offer", "until")),
			one(formAt(AccessAdministrator, "/admin/users/{id}/unsubscribe", Text{"Terminer un abonnement", "End a subscription"})),
			one(formAt(AccessAdministrator, "/admin/users/{id}/disable", Text{"Désactiver un compte", "Disable an account"})),
			one(formAt(AccessAdministrator, "/admin/users/{id}/enable", Text{"Réactiver un compte", "Enable an account again"})),
			one(formAt(AccessAdministrator, "/admin/users/{id}/link", Text{"Faire un lien pour choisir un mot de passe", "Make a link for choosing a password"})),
		},
	)
}
