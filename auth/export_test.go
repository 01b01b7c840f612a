package auth

// UnknownHash is what is compared with where there is no account.
var UnknownHash = unknownHash

// HoldHashing lets nobody hash a password before the test receives from the channel it returns, nor be done with it
// before the test sends to it.
func (a *Auth) HoldHashing() chan struct{} {
	a.hashings = make(chan struct{})
	return a.hashings
}
