package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// faults are what is wrong with a configuration, in the order found. Its text is one line.
type faults []fault

type fault struct{ key, text string }

func (f faults) Error() string {
	var told []string
	for _, one := range f {
		told = append(told, one.key+": "+one.text)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) { // YAML lets quoted keys hold any
			return ' '
		}
		return r
	}, strings.Join(told, "; "))
}

func (f faults) has(key string) bool {
	return slices.ContainsFunc(f, func(one fault) bool { return one.key == key })
}

func (f *faults) add(key, format string, args ...any) {
	*f = append(*f, fault{key, fmt.Sprintf(format, args...)})
}

// addUnknown notes a key that is not among known.
func (f *faults) addUnknown(key string, known []string) {
	if near := Nearest(key, known); near != "" {
		f.add(key, "unknown key: did you mean %s?", near)
	} else {
		f.add(key, "unknown key: config.example.yaml lists those there are")
	}
}
