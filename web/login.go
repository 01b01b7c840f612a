package web

// Login is the page on which one signs in.
type Login struct {
	Email      string // as it was typed
	Next       string // where to go then; may be empty
	Refused    bool   // address or password were wrong
	Minutes    int    // to wait, because there were too many attempts; 0: there were not
	OpenSignup bool   // visitors may make accounts of their own
}

// Login renders the page on which one signs in.
func (p *Pages) Login(visit Visit, view Login) ([]byte, error) {
	return p.render("login", visit, view)
}

// Request is a page on which somebody who is not signed in asks for a link or an account.
type Request struct {
	Email   string // as it was typed
	Mail    bool   // links are sent by mail
	Done    bool   // it was asked for
	Minutes int    // to wait, because it was asked for too often; 0: it was not
	Fault   Text   // why not; may be empty
	Contact string // of who runs this Courant; may be empty
}

// Forgotten renders the page for those who have forgotten their password.
func (p *Pages) Forgotten(visit Visit, view Request) ([]byte, error) {
	return p.render("forgotten", visit, view)
}

// SignUp renders the page on which visitors make an account.
func (p *Pages) SignUp(visit Visit, view Request) ([]byte, error) {
	return p.render("signup", visit, view)
}

// SetPassword is the page that a link opens.
type SetPassword struct {
	Secret string // of the link; empty: it cannot be used
	Email  string // whose password it is, or as it was typed
	First  bool   // the link makes the first administrator
	Fault  Text   // why the password was not taken; may be empty
}

// SetPassword renders the page that a link opens.
func (p *Pages) SetPassword(visit Visit, view SetPassword) ([]byte, error) {
	return p.render("setpassword", visit, view)
}
