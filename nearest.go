package main

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// nearest is the one of words that was probably meant, or "". Two letters or a third of them may be wrong: more
// suggests words that merely look alike.
func nearest(word string, words []string) string {
	best, distance := "", max(len(word)/3, 2)
	for _, candidate := range words {
		if d := levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(candidate)); d <= distance {
			best, distance = candidate, d-1
		}
	}
	return best
}

// orElse ends a message about a wrong word: with the nearest right one, or with all of them.
func orElse(near string, all []string) string {
	if near != "" {
		return fmt.Sprintf(": did you mean %s?", near)
	}
	return ": it is one of " + strings.Join(all, ", ")
}
