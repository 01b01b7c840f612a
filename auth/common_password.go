package auth

import (
	_ "embed"
	"slices"
	"strings"
	"unicode"
)

//go:embed common_words.txt
var commonWordsFile string

// commonWords are the words that are tried first when passwords are guessed, words about this site among them.
var commonWords = strings.Fields(commonWordsFile)

// sequences are the digits, the alphabet and rows of keyboards. They count in both directions.
var sequences = []string{
	"01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm",
	"azertyuiop", "qsdfghjklm", "wxcvbn",
}

const (
	// minRun is the length from which on a part of a sequence counts as a run.
	minRun = 3
	// minAddressPart is the length from which on a part of the account's address counts as a word.
	minAddressPart = 3
	// A password is common if fewer than minOwnCharacters different characters are left without its words and runs, unless
	// it has minPhraseParts different words and runs: that is a passphrase.
	minOwnCharacters = 5
	minPhraseParts   = 4
)

// isCommon reports whether a password would be guessed early: it consists of common words, runs of neighbouring keys and parts
// of the account's address, in any number, and little else.
func isCommon(password, address string) bool {
	words := slices.Concat(commonWords, addressParts(address))
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

// addressParts returns the words of an e-mail address.
func addressParts(address string) []string {
	parts := strings.FieldsFunc(address, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return slices.DeleteFunc(parts, func(part string) bool { return len(part) < minAddressPart })
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

// longestRun returns the longest run that text begins with; empty if there is none.
func longestRun(text string) string {
	longest := ""
	for _, sequence := range sequences {
		for _, directed := range []string{sequence, reversed(sequence)} {
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
