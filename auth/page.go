package auth

// Page is a part of a list: Number counts from 1, and each page has Size lines.
type Page struct{ Number, Size int }

// maxPageNumber bounds how many lines a request can make the database skip.
const maxPageNumber = 1_000_000

func (p Page) skip() int { return (min(max(p.Number, 1), maxPageNumber) - 1) * p.Size }

// cutPage cuts lines, which begin with the first one of the page, to the size of the page. more reports whether there were
// others. Callers read one line more than the page has.
func cutPage[T any](lines []T, page Page) (cut []T, more bool) {
	if len(lines) > page.Size {
		return lines[:page.Size], true
	}
	return lines, false
}
