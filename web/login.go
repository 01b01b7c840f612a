package web

// Login is the page on which one signs in.
type Login struct {
	Email   string // as it was typed
	Refused bool   // address or password were wrong
}

// Login renders the page on which one signs in.
func (p *Pages) Login(visit Visit, view Login) ([]byte, error) {
	return p.render("login", visit, view)
}
