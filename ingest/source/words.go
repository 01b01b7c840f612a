package source

import (
	"errors"
	"strings"
)

// In the text of an error, the source's own words are between these marks, and nothing else is, so that they can be removed.
const (
	openSaid  = "“"
	closeSaid = "”"
)

// saying is an error in Courant's words, followed by those of the source.
type saying struct {
	message, said string
	cause         error
}

// Saying makes an error that keeps the words of the source apart from Courant's message. The cause may be nil.
func Saying(message, said string, cause error) error { return &saying{message, said, cause} }

// Error is for error.
func (s *saying) Error() string {
	if s.said == "" {
		return s.message
	}
	return s.message + ": " + s.said
}

// Unwrap is for errors.
func (s *saying) Unwrap() error { return s.cause }

// Words returns an error's message, and the words of the source if the error keeps them apart.
func Words(err error) (message, said string) {
	if s := new(saying); errors.As(err, &s) {
		return s.message, s.said
	}
	return err.Error(), ""
}

// withSaid appends the source's words to a message.
func withSaid(message, said string) string {
	if said == "" {
		return message
	}
	return message + ": " + openSaid + strings.NewReplacer(openSaid, `"`, closeSaid, `"`).Replace(said) + closeSaid
}

// PublicText returns the first sentence of the text of an error, without the words of the source, which only administrators
// may read.
func PublicText(text string) string {
	var public strings.Builder
	for text != "" {
		switch {
		case strings.HasPrefix(text, openSaid):
			_, text, _ = strings.Cut(text, closeSaid) // a text that was cut has no end mark
			before := strings.TrimSuffix(strings.TrimSuffix(public.String(), " "), ":")
			public.Reset()
			public.WriteString(before)
		case text[0] == '"':
			public.WriteString("…")
			text = afterQuoted(text)
		case strings.HasPrefix(text, "; "):
			return public.String()
		default:
			public.WriteByte(text[0])
			text = text[1:]
		}
	}
	return public.String()
}

// afterQuoted returns what follows a text that was quoted with %q.
func afterQuoted(text string) string {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return strings.TrimPrefix(text[i+1:], "…") // the mark of a text that was cut
		}
	}
	return ""
}
