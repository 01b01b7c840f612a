package auth

// Page is a part of a list: the Number-th one, from 1, of Size lines each.
type Page struct{ Number, Size int }

// mostPages bounds what a page's number makes the database skip.
const mostPages = 1_000_000

func (p Page) skip() int { return (min(max(p.Number, 1), mostPages) - 1) * p.Size }

// pageOf is a page of what was read from its first line on, one line more than it has if there are more.
func pageOf[T any](lines []T, page Page) (cut []T, more bool) {
	if len(lines) > page.Size {
		return lines[:page.Size], true
	}
	return lines, false
}
