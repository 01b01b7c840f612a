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
		FR: "Une adresse e-mail est un nom et un domaine, comme anne@example.org.",
		EN: "An e-mail address is a name and a domain, such as anne@example.org.",
	}},
	{auth.ErrPasswordShort, web.Text{
		FR: "Un mot de passe a au moins 12 caractères.",
		EN: "A password has at least 12 characters.",
	}},
	{auth.ErrPasswordLong, web.Text{FR: "Un mot de passe a au plus 256 octets.", EN: "A password has at most 256 bytes."}},
	{auth.ErrPasswordText, web.Text{FR: "Un mot de passe est du texte en UTF-8.", EN: "A password is text in UTF-8."}},
	{auth.ErrPasswordCommon, web.Text{
		FR: "Ce mot de passe est de ceux que l’on devine : prenez quelques mots sans rapport entre eux.",
		EN: "This password is one that is guessed early: take a few words that do not belong together.",
	}},
	{auth.ErrBadCredentials, web.Text{
		FR: "Le mot de passe actuel ne convient pas.",
		EN: "The present password is not right.",
	}},
	{auth.ErrTokenName, web.Text{
		FR: "Le nom d’un jeton a de 1 à 100 caractères.",
		EN: "A token’s name has 1 to 100 characters.",
	}},
	{auth.ErrTokenCount, web.Text{
		FR: "Un compte a au plus 100 jetons valables : révoquez-en un.",
		EN: "An account has at most 100 tokens that are good: revoke one.",
	}},
	{auth.ErrPastDate, web.Text{
		FR: "Cette date est passée : donnez aujourd’hui ou une date plus tardive.",
		EN: "This date is past: give today or a later one.",
	}},
	{auth.ErrAccountDisabled, web.Text{FR: "Ce compte est désactivé.", EN: "This account is disabled."}},
	{auth.ErrUnknownOffer, web.Text{
		FR: "La configuration n’a pas cette offre.",
		EN: "The configuration has no such plan.",
	}},
	{errFormDate, web.Text{FR: "Une date s’écrit AAAA-MM-JJ.", EN: "A date is written YYYY-MM-DD."}},
	{errFormDataset, web.Text{FR: "Ce jeu de données n’existe pas.", EN: "There is no such dataset."}},
	{errFormScope, web.Text{
		FR: "Un jeton pour les flux de prix ou pour les webhooks n’ouvre que cela : ne cochez rien d’autre.",
		EN: "A token for the price feeds or for webhooks opens nothing else: tick only that.",
	}},
	{store.ErrExists, web.Text{FR: "Cette adresse a déjà un compte.", EN: "This address has an account already."}},
	{store.ErrNotFound, web.Text{FR: "Il n’y a rien de tel.", EN: "There is no such thing."}},
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
