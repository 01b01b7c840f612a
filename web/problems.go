package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// ProblemCode is the code of an error (RFC 9457) as clients see it. A code never changes.
type ProblemCode string

const (
	ProblemUnauthenticated      ProblemCode = "unauthenticated"
	ProblemTokenInvalid         ProblemCode = "token_invalid"
	ProblemTokenExpired         ProblemCode = "token_expired"
	ProblemTokenRevoked         ProblemCode = "token_revoked"
	ProblemSubscriptionRequired ProblemCode = "subscription_required"
	ProblemForbidden            ProblemCode = "forbidden"
	ProblemNotFound             ProblemCode = "not_found"
	ProblemMethodNotAllowed     ProblemCode = "method_not_allowed"
	ProblemGone                 ProblemCode = "gone"
	ProblemPreconditionFailed   ProblemCode = "precondition_failed"
	ProblemRangeNotSatisfiable  ProblemCode = "range_not_satisfiable"
	ProblemInvalidParameter     ProblemCode = "invalid_parameter"
	ProblemPayloadTooLarge      ProblemCode = "payload_too_large"
	ProblemRateLimited          ProblemCode = "rate_limited"
	ProblemInternal             ProblemCode = "internal"
	ProblemUnavailable          ProblemCode = "unavailable"
)

// Problem is one kind of error, as answers and the documentation describe it.
type Problem struct {
	Code   ProblemCode
	Status int  // HTTP status
	Title  Text // in answers
	Detail Text // in answers that have nothing more specific: what to do
	Text   Text // in the documentation: every case that has this code
}

// problems are all kinds of errors, in the order in which the documentation lists them.
var problems = []Problem{
	{ProblemUnauthenticated, http.StatusUnauthorized, Text{"Authentification requise", "Authentication required"},
		Text{
			"Envoyez l’en-tête « Authorization: Bearer <jeton> » ou connectez-vous.",
			"Send the header “Authorization: Bearer <token>” or sign in.",
		},
		Text{"Ni jeton ni session", "Neither token nor session"}},
	{ProblemTokenInvalid, http.StatusUnauthorized, Text{"Jeton inconnu", "Unknown token"},
		Text{"Ce jeton n’existe pas ; vérifiez qu’il est complet.", "There is no such token; check that it is complete."},
		Text{"Jeton inconnu, ou jeton dans l’adresse qui n’ouvre pas les flux de prix", "Unknown token, or a token in the address that does not open the price feeds"}},
	{ProblemTokenExpired, http.StatusUnauthorized, Text{"Jeton expiré", "Token expired"},
		Text{"La date de fin de ce jeton est passée ; créez-en un autre.", "This token’s end date has passed; create another one."},
		Text{"La date de fin du jeton est passée", "The token’s end date has passed"}},
	{ProblemTokenRevoked, http.StatusUnauthorized, Text{"Jeton révoqué", "Token revoked"},
		Text{"Ce jeton a été révoqué ; créez-en un autre.", "This token was revoked; create another one."},
		Text{"Jeton révoqué", "Token revoked"}},
	{ProblemSubscriptionRequired, http.StatusUnauthorized, Text{"Abonnement requis", "Subscription required"},
		Text{"Ces données nécessitent un abonnement actif qui les couvre.", "This data requires an active subscription that covers it."},
		Text{"Aucun abonnement actif ne couvre ces données", "No active subscription covers this data"}},
	{ProblemForbidden, http.StatusForbidden, Text{"Accès refusé", "Access denied"},
		Text{"Ce jeton est limité à d’autres jeux de données.", "This token is limited to other datasets."},
		Text{
			"Jeton limité à d’autres jeux de données ou aux flux de prix, page d’administration, ou requête d’un autre site",
			"Token limited to other datasets or to the price feeds, administration, or a request from another site",
		}},
	{ProblemNotFound, http.StatusNotFound, Text{"Introuvable", "Not found"},
		Text{"Il n’y a rien à cette adresse.", "There is nothing at this address."},
		Text{"Rien à cette adresse", "Nothing at this address"}},
	{ProblemMethodNotAllowed, http.StatusMethodNotAllowed, Text{"Méthode non permise", "Method not allowed"},
		Text{"L’en-tête Allow indique les méthodes permises.", "The Allow header lists the allowed methods."},
		Text{"L’en-tête Allow indique les méthodes permises", "The Allow header lists the allowed methods"}},
	{ProblemGone, http.StatusGone, Text{"N’existe plus", "Gone"},
		Text{"Ce qui était à cette adresse n’est plus conservé.", "What was at this address is no longer kept."},
		Text{"Un mois d’archive dont les pas de 4 secondes ont été supprimés", "A month of the archive whose 4 second steps were removed"}},
	{ProblemPreconditionFailed, http.StatusPreconditionFailed, Text{"Condition non remplie", "Precondition failed"},
		Text{"Le fichier n’a plus l’ETag de l’en-tête If-Match ; demandez-le sans cet en-tête.",
			"The file no longer has the ETag of the If-Match header; ask for it without that header."},
		Text{"L’en-tête If-Match d’un fichier d’archive nomme une version antérieure",
			"The If-Match header of an archive file names an earlier version"}},
	{ProblemRangeNotSatisfiable, http.StatusRequestedRangeNotSatisfiable, Text{"Plage d’octets impossible", "Range not satisfiable"},
		Text{"L’en-tête Range désigne une plage hors du fichier ; Content-Range donne sa taille.",
			"The Range header names a range outside the file; Content-Range has its size."},
		Text{"L’en-tête Range d’un fichier d’archive est illisible ou hors du fichier",
			"The Range header of an archive file is unreadable or outside of the file"}},
	{ProblemInvalidParameter, http.StatusBadRequest, Text{"Requête incorrecte", "Bad request"},
		Text{"La requête n’a pas pu être lue.", "The request could not be read."},
		Text{"Un paramètre ou un formulaire est inconnu, illisible ou contradictoire", "A parameter or a form is unknown, unreadable or contradictory"}},
	{ProblemPayloadTooLarge, http.StatusRequestEntityTooLarge, Text{"Requête trop volumineuse", "Request too large"},
		Text{"Le corps de la requête dépasse 64 Kio.", "The body of the request is larger than 64 KiB."},
		Text{"Plus de 64 Kio", "More than 64 KiB"}},
	{ProblemRateLimited, http.StatusTooManyRequests, Text{"Trop de requêtes", "Too many requests"},
		Text{"Attendez la durée indiquée par l’en-tête Retry-After.", "Wait for the time given in the Retry-After header."},
		Text{
			"Plus de requêtes que la limite, ou trop de longues réponses en cours : réessayez après Retry-After",
			"More requests than the limit, or too many long answers in progress: try again after Retry-After",
		}},
	{ProblemInternal, http.StatusInternalServerError, Text{"Erreur interne", "Internal error"},
		Text{
			"Le journal du serveur donne les détails, sous l’identifiant X-Request-Id.",
			"The server’s log has the details, under the X-Request-Id.",
		},
		Text{"Erreur du serveur : le journal donne les détails sous X-Request-Id", "An error of the server: the log has the details under X-Request-Id"}},
	{ProblemUnavailable, http.StatusServiceUnavailable, Text{"Indisponible", "Unavailable"},
		Text{"Courant n’est pas encore prêt ; réessayez dans un instant.", "Courant is not ready yet; try again in a moment."},
		Text{
			"Pas encore prêt, ou base de données verrouillée : réessayez après Retry-After",
			"Not ready yet, or the database is locked: try again after Retry-After",
		}},
}

// Problems returns every kind of error, in the order of the documentation.
func Problems() []Problem { return slices.Clone(problems) }

func problemCodes() []string {
	var codes []string
	for _, p := range problems {
		codes = append(codes, string(p.Code))
	}
	return codes
}

// Path returns the path of the page that explains the problem.
func (p Problem) Path() string {
	return strings.Replace(PageProblem.Path.FR, "{code}", string(p.Code), 1)
}

// ProblemOf returns the kind of error that has the code. It panics if there is none, which is an error of the program.
func ProblemOf(code ProblemCode) Problem {
	i := slices.IndexFunc(problems, func(p Problem) bool { return p.Code == code })
	if i < 0 {
		panic(fmt.Sprintf("web: the problem %q is not in the list", code))
	}
	return problems[i]
}
