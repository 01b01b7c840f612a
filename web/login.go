package web

// Login is the sign-in page.
type Login struct {
	Email      string // as it was typed
	Next       string // the page to go to afterwards; may be empty
	Refused    bool   // address or password were wrong
	Minutes    int    // to wait after too many attempts; 0: there were not too many
	OpenSignup bool   // visitors may make accounts
}

// Login renders the sign-in page.
func (p *Pages) Login(visit Visit, view Login) ([]byte, error) {
	return p.render("login", visit, view)
}

// Request is a page on which a guest asks for a link or an account.
type Request struct {
	Email   string // as it was typed
	Mail    bool   // links are sent by mail
	Done    bool   // the request was taken
	Minutes int    // to wait after too many requests; 0: there were not too many
	Fault   Text   // why the request was refused; may be empty
	Contact string // of the operator; may be empty
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
	Email  string // of the account, or as it was typed
	First  bool   // the link makes the first administrator
	Fault  Text   // why the password was refused; may be empty
}

// SetPassword renders the page that a link opens.
func (p *Pages) SetPassword(visit Visit, view SetPassword) ([]byte, error) {
	return p.render("setpassword", visit, view)
}
