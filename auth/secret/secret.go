// Package secret is what stands in the place of a credential in messages, logs and dumps.
package secret

// Hidden is written instead of a credential.
const Hidden = "[hidden]"
