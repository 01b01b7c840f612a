package auth

import (
	_ "embed"
	"slices"
	"strings"
	"unicode"
)

//go:embed common_words.txt
var commonWords string

// guessedFirst are the words that are tried first when passwords are guessed, this site's own among them.
var guessedFirst = strings.Fields(commonWords)

// rows are what fingers run along, on a keyboard or in the mind. Each is read in both directions.
var rows = []string{"01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn"}

const (
	// minRun is how many neighbours of a row make a run, and minNamePart how long a part of an address is a word.
	minRun      = 3
	minNamePart = 3
	// A password is common if its words and runs leave less than minOwnCharacters different characters, unless there are
	// as many different ones as make a pass phrase.
	minOwnCharacters = 5
	minPhraseParts   = 4
)

// isCommon says whether a password is one that is guessed early: common words, runs of neighbouring keys and parts of
// the account's own address, one after the other or many times, with little else.
func isCommon(password, address string) bool {
	words := slices.Concat(guessedFirst, nameParts(address))
	text := []rune(strings.ToLower(password))
	parts, own := map[string]bool{}, map[rune]bool{}
	for i := 0; i < len(text); {
		rest := string(text[i:])
		part := longestWord(rest, words)
		if run := longestRun(rest); len(run) > len(part) {
			part = run
		}
		if part != "" {
			parts[part] = true
			i += len([]rune(part))
			continue
		}
		if unicode.IsLetter(text[i]) || unicode.IsDigit(text[i]) {
			own[text[i]] = true
		}
		i++
	}
	return len(own) < minOwnCharacters && len(parts) < minPhraseParts
}

// nameParts are the words of an e-mail address.
func nameParts(address string) []string {
	parts := strings.FieldsFunc(address, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return slices.DeleteFunc(parts, func(part string) bool { return len(part) < minNamePart })
}

func longestWord(text string, words []string) string {
	longest := ""
	for _, word := range words {
		if len(word) > len(longest) && strings.HasPrefix(text, word) {
			longest = word
		}
	}
	return longest
}

// longestRun is the run with which text begins, empty if there is none.
func longestRun(text string) string {
	longest := ""
	for _, row := range rows {
		for _, directed := range []string{row, reversed(row)} {
			for length := minRun; length <= min(len(text), len(directed)) && strings.Contains(directed, text[:length]); length++ {
				if length > len(longest) {
					longest = text[:length]
				}
			}
		}
	}
	return longest
}

func reversed(text string) string {
	letters := []byte(text)
	slices.Reverse(letters)
	return string(letters)
}
