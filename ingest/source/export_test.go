package source

import "io"

// Bounded passes on what lies within the bounds of a document of the kind.
func Bounded(b Bounds, kind Kind, from io.Reader) io.Reader { return b.reader(kind, from) }
