package config

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the one of words that was probably meant, or "". Two letters, or a third of them, may be wrong; allowing more would
// suggest words that merely look alike. Of two equally near ones it prefers the one closer in length, since letters are often swapped.
func Nearest(word string, words []string) string {
	best, distance, longer := "", max(len(word)/3, 2), len(word)+1
	for _, candidate := range words {
		d := levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(candidate))
		l := max(len(candidate), len(word)) - min(len(candidate), len(word))
		if d < distance || d == distance && l < longer {
			best, distance, longer = candidate, d, l
		}
	}
	return best
}

// OrElse returns the end of a message about a wrong word: the nearest right one, or all of them.
func OrElse(near string, all []string) string {
	if near != "" {
		return fmt.Sprintf(": did you mean %s?", near)
	}
	return ": it is one of " + strings.Join(all, ", ")
}
