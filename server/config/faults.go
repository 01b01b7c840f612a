package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// faults is an error that lists what is wrong with a configuration, in the order in which it was found, in one line.
type faults []fault

type fault struct{ key, text string }

func (f faults) Error() string {
	var parts []string
	for _, one := range f {
		parts = append(parts, one.key+": "+one.text)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) { // a quoted key in YAML may contain any
			return ' '
		}
		return r
	}, strings.Join(parts, "; "))
}

func (f faults) has(key string) bool {
	return slices.ContainsFunc(f, func(one fault) bool { return one.key == key })
}

func (f *faults) add(key, format string, args ...any) {
	*f = append(*f, fault{key, fmt.Sprintf(format, args...)})
}

// addUnknown adds a key that is not one of known.
func (f *faults) addUnknown(key string, known []string) {
	if near := Nearest(key, known); near != "" {
		f.add(key, "unknown key: did you mean %s?", near)
	} else {
		f.add(key, "unknown key: config.example.yaml lists those there are")
	}
}
