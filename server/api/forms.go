package api

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"courant/auth"
	"courant/store"
	"courant/store/market"
	"courant/web"
)

// form returns the fields of the form in a request.
func form(c echo.Context) (url.Values, error) {
	request := c.Request()
	if err := request.ParseForm(); err != nil {
		return nil, errors.Join(problemFor(err), err)
	}
	return request.PostForm, nil
}

// problemFor returns whether a form that cannot be read is too large or malformed.
func problemFor(err error) *problem {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return problemPayloadTooLarge
	}
	return problemInvalidParameter
}

// formDate returns a date in a form; the zero date if the field is empty.
func formDate(fields url.Values, name string) (market.DeliveryDate, error) {
	text := fields.Get(name)
	if text == "" {
		return market.DeliveryDate{}, nil
	}
	date, err := market.ParseDeliveryDate(text)
	// The zero date means that there is none, so 1970-01-01 cannot be entered.
	if err != nil || date.IsZero() {
		return market.DeliveryDate{}, errFormDate
	}
	return date, nil
}

// faults are the texts with which a page refuses a form.
var faults = []struct {
	err  error
	text web.Text
}{

	{auth.ErrEmail, web.Text{
		FR: "Adresse e-mail incorrecte : écrivez un nom et un domaine, comme anne@example.org.",
		EN: "Invalid e-mail address: write a name and a domain, such as anne@example.org.",
	}},
	{auth.ErrPasswordShort, web.Text{
		FR: "Le mot de passe doit avoir au moins 12 caractères.",
		EN: "The password must have at least 12 characters.",
	}},
	{auth.ErrPasswordLong, web.Text{FR: "Le mot de passe doit avoir au plus 256 octets.", EN: "The password must have at most 256 bytes."}},
	{auth.ErrPasswordText, web.Text{FR: "Le mot de passe doit être un texte en UTF-8.", EN: "The password must be UTF-8 text."}},
	{auth.ErrPasswordCommon, web.Text{
		FR: "Ce mot de passe est trop courant : choisissez quelques mots sans rapport entre eux.",
		EN: "This password is too common: choose a few unrelated words.",
	}},
	{auth.ErrBadCredentials, web.Text{
		FR: "Le mot de passe actuel est incorrect.",
		EN: "The current password is wrong.",
	}},
	{auth.ErrTokenName, web.Text{
		FR: "Le nom d’un jeton doit avoir de 1 à 100 caractères.",
		EN: "The name of a token must have 1 to 100 characters.",
	}},
	{auth.ErrTokenCount, web.Text{
		FR: "Un compte a au plus 100 jetons valables : révoquez-en un.",
		EN: "An account has at most 100 valid tokens: revoke one.",
	}},
	{auth.ErrPastDate, web.Text{
		FR: "Cette date est passée : indiquez aujourd’hui ou une date ultérieure.",
		EN: "This date is past: enter today or a later date.",
	}},
	{auth.ErrAccountDisabled, web.Text{FR: "Ce compte est désactivé.", EN: "This account is disabled."}},
	{auth.ErrUnknownOffer, web.Text{
		FR: "Cette offre n’existe pas dans la configuration.",
		EN: "The configuration has no such plan.",
	}},
	{errFormDate, web.Text{FR: "Une date s’écrit AAAA-MM-JJ.", EN: "A date is written YYYY-MM-DD."}},
	{errFormDataset, web.Text{FR: "Ce jeu de données n’existe pas.", EN: "There is no such dataset."}},
	{errFormScope, web.Text{
		FR: "Un jeton pour les flux de prix ou pour les webhooks ne sert qu’à cela : ne cochez rien d’autre.",
		EN: "A token for the price feeds or for webhooks opens nothing else: tick only that.",
	}},
	{store.ErrExists, web.Text{FR: "Cette adresse a déjà un compte.", EN: "This address already has an account."}},
	{store.ErrNotFound, web.Text{FR: "Introuvable.", EN: "Not found."}},
}

var (
	errFormDate    = errors.New("a date in the form is not a date")
	errFormDataset = errors.New("a dataset in the form is not a dataset")
	errFormScope   = errors.New("a token with a scope in the form has another one or is limited to datasets")
)

// faultOf returns the text of an error that the visitor can mend; false for other errors.
func faultOf(err error) (web.Text, bool) {
	var limited *auth.LimitedError
	if errors.As(err, &limited) {
		return web.Text{FR: "Trop de tentatives : réessayez plus tard.", EN: "Too many attempts: try again later."}, true
	}
	for _, fault := range faults {
		if errors.Is(err, fault.err) {
			return fault.text, true
		}
	}
	return web.Text{}, false
}
