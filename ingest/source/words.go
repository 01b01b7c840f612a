package source

import (
	"errors"
	"strings"
)

// The source's own words stand between these in a text of an error, and nothing else does, so that they can be taken out.
const (
	openSaid  = "“"
	closeSaid = "”"
)

// saying is an error in our words, with those of the source behind them.
type saying struct {
	message, said string
	cause         error
}

// Saying is an error that holds what a source wrote apart from our message. The cause may be nil.
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

// Words are an error's message and what a source wrote, which is "" unless the error keeps it apart.
func Words(err error) (message, said string) {
	if s := new(saying); errors.As(err, &s) {
		return s.message, s.said
	}
	return err.Error(), ""
}

// withSaid puts the source's words behind ours.
func withSaid(message, said string) string {
	if said == "" {
		return message
	}
	return message + ": " + openSaid + strings.NewReplacer(openSaid, `"`, closeSaid, `"`).Replace(said) + closeSaid
}

// PublicText is the first sentence of the text of an error, as a run keeps it, without what the source wrote: that is for
// administrators alone.
func PublicText(text string) string {
	var public strings.Builder
	for text != "" {
		switch {
		case strings.HasPrefix(text, openSaid):
			_, text, _ = strings.Cut(text, closeSaid) // what was cut short has no end
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

// afterQuoted is what follows a text that was quoted with %q.
func afterQuoted(text string) string {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return strings.TrimPrefix(text[i+1:], "…") // of a text that was cut short
		}
	}
	return ""
}
