package api

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"courant/web"
)

const (
	// longestQuery is how many bytes the query of an address may have: far more than all parameters need.
	longestQuery = 8 << 10
	// mostListed is how many values a list may have.
	mostListed = 50
)

var (
	acceptedChoice = web.Text{FR: "l’une des valeurs", EN: "one of"}
	acceptedList   = web.Text{
		FR: "une ou plusieurs, séparées par des virgules et chacune une fois, des valeurs",
		EN: "one or more, separated by commas and each once, of",
	}
)

// queryParameter is a parameter in the query of an address.
type queryParameter struct {
	name    string
	accepts web.Text // ends a sentence that begins with "it accepts:"
	values  []string // all that it accepts; nil: others
	isList  bool     // it accepts several, separated by commas
	// isRequired is set if there is no answer without it.
	isRequired bool
}

// choice returns the parameter that accepts one of the values.
func choice(name string, values []string) queryParameter {
	return queryParameter{name: name, accepts: listed(values, acceptedChoice), values: values}
}

// required returns the parameter as one that has to be given.
func required(p queryParameter) queryParameter {
	p.isRequired = true
	return p
}

// choices returns the parameter that accepts some of the values, separated by commas.
func choices(name string, values []string, accepts web.Text) queryParameter {
	return queryParameter{name: name, accepts: listed(values, accepts), values: values, isList: true}
}

// queryParser reads the parameters in the query of an address. Every error is a problem with the code invalid_parameter that
// names the parameter and what it accepts.
type queryParser struct {
	parameters []queryParameter
	anyCase    bool      // names are read in any case
	now        time.Time // from which words such as yesterday are counted

	given url.Values // one value of each parameter that is given, by the name in parameters
}

// split reads the names and values of a query. A name may occur once, and required ones must occur.
func (p *queryParser) split(raw string) error {
	p.given = url.Values{}
	if len(raw) > longestQuery {
		return problemInvalidParameter.withDetail(
			fmt.Sprintf("Les paramètres ont plus de %d octets.", longestQuery),
			fmt.Sprintf("The parameters have more than %d bytes.", longestQuery))
	}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(rawName)
		value, valueErr := url.QueryUnescape(rawValue)
		at := slices.IndexFunc(p.parameters, func(known queryParameter) bool {
			return known.name == name || p.anyCase && strings.EqualFold(known.name, name)
		})
		if nameErr != nil || at < 0 {
			return p.unknown(rawName)
		}
		name = p.parameters[at].name
		switch {
		case p.given.Has(name):
			return p.refuse(name, "est donné deux fois", "is given twice")
		case value == "" && valueErr == nil:
			return p.refuse(name, "est vide", "is empty")
		case valueErr != nil || !utf8.ValidString(value):
			return p.refuse(name, "n’est pas du texte en UTF-8, avec deux chiffres hexadécimaux après chaque %",
				"is not text in UTF-8, with two hexadecimal digits after each %")
		default:
			p.given.Set(name, value)
		}
	}
	for _, parameter := range p.parameters {
		if parameter.isRequired && !p.given.Has(parameter.name) {
			return p.refuse(parameter.name, "manque", "is missing")
		}
	}
	return nil
}

// unknown refuses a parameter that there is not.
func (p *queryParser) unknown(name string) error {
	names := make([]string, len(p.parameters))
	for i, parameter := range p.parameters {
		names[i] = parameter.name
	}
	all := strings.Join(names, ", ")
	return problemInvalidParameter.withDetail(
		"« "+visible(name)+" » n’est pas un paramètre de cette adresse ; il y a "+all+".",
		"“"+visible(name)+"” is not a parameter of this address; there are "+all+".")
}

// refuse is the problem that a parameter has a fault; it adds what the parameter accepts.
func (p *queryParser) refuse(name, faultFR, faultEN string) error {
	i := slices.IndexFunc(p.parameters, func(known queryParameter) bool { return known.name == name })
	accepts := p.parameters[i].accepts
	return problemInvalidParameter.withDetail(
		"« "+name+" » "+faultFR+" ; il accepte : "+accepts.FR+".", "“"+name+"” "+faultEN+"; it accepts: "+accepts.EN+".")
}

// refuseValue is the problem that a parameter does not accept a value.
func (p *queryParser) refuseValue(name, value string) error {
	return p.refuse(name, "n’accepte pas « "+visible(value)+" »", "does not accept “"+visible(value)+"”")
}

// visible is what a problem shows of a text that a client sent.
func visible(text string) string {
	const most = 40
	shown := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, text[:min(len(text), 4*most)])
	if runes := []rune(shown); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return shown
}

// choice returns the value of a parameter that accepts one of a list; the fallback if it is not given.
func (p *queryParser) choice(name string, accepted []string, fallback string) (string, error) {
	if !p.given.Has(name) {
		return fallback, nil
	}
	value := p.given.Get(name)
	if !slices.Contains(accepted, value) {
		return "", p.refuseValue(name, value)
	}
	return value, nil
}

// list returns the values of a parameter that accepts some of a list; nil if it is not given.
func (p *queryParser) list(name string, isAccepted func(string) bool) ([]string, error) {
	if !p.given.Has(name) {
		return nil, nil
	}
	values := strings.Split(p.given.Get(name), ",")
	if len(values) > mostListed {
		return nil, p.refuse(name, "a trop de valeurs", "has too many values")
	}
	for i, value := range values {
		switch {
		case !isAccepted(value):
			return nil, p.refuseValue(name, value)
		case slices.Contains(values[:i], value):
			return nil, p.refuse(name, "contient deux fois « "+visible(value)+" »", "has “"+visible(value)+"” twice")
		}
	}
	return values, nil
}

// count returns the whole number from 1 to most in a parameter; the fallback if it is not given.
func (p *queryParser) count(name string, fallback, most int64) (int64, error) {
	if !p.given.Has(name) {
		return fallback, nil
	}
	text := p.given.Get(name)
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n < 1 || int64(n) > most {
		return 0, p.refuseValue(name, text)
	}
	return int64(n), nil
}

// isOneOf returns a function that reports whether a value is in the list.
func isOneOf(accepted []string) func(string) bool {
	return func(value string) bool { return slices.Contains(accepted, value) }
}

// instant returns the instant in a parameter, rounded up to a unit of time; zero if it is not given.
func (p *queryParser) instant(name string, unit time.Duration) (time.Time, error) {
	if !p.given.Has(name) {
		return time.Time{}, nil
	}
	t, valid := parseInstant(p.given.Get(name), p.now)
	if cut := t.Truncate(unit); cut.Before(t) {
		t = cut.Add(unit)
	}
	if !valid || !isInYears(t) {
		return time.Time{}, p.refuseValue(name, p.given.Get(name))
	}
	return t, nil
}

// listed is what a parameter accepts, followed by the values.
func listed(values []string, accepts web.Text) web.Text {
	all := " " + strings.Join(values, ", ")
	return web.Text{FR: accepts.FR + all, EN: accepts.EN + all}
}
