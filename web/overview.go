package web

// Overview is the page that one comes to: all datasets at a glance.
type Overview struct{}

// Overview renders the page that one comes to.
func (p *Pages) Overview(visit Visit, view Overview) ([]byte, error) {
	return p.render("overview", visit, view)
}
