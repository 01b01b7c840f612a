package hooks

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"courant/store"
)

const (
	secretStart = "whsec_"
	secretBytes = 32
	// formerLifetime is how long a secret that was replaced signs too.
	formerLifetime = 24 * time.Hour
)

// newSecret returns a secret of Standard Webhooks.
func newSecret() string {
	key := make([]byte, secretBytes)
	rand.Read(key) // never fails
	return secretStart + base64.StdEncoding.EncodeToString(key)
}

// mac returns the HMAC-SHA256 of a message with a secret.
func mac(secret, message string) []byte {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretStart))
	if err != nil {
		key = []byte(secret)
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}

// signatures returns the header webhook-signature for the header webhook-timestamp: with the hook's secret, and with the former
// one if that is still good.
func signatures(hook store.Hook, id, timestamp string, now time.Time, body []byte) string {
	message := id + "." + timestamp + "." + string(body)
	signed := "v1," + base64.StdEncoding.EncodeToString(mac(hook.Secret, message))
	if hook.FormerSecret != "" && now.Before(hook.FormerUntil) {
		signed += " v1," + base64.StdEncoding.EncodeToString(mac(hook.FormerSecret, message))
	}
	return signed
}

// EndKey returns what the link in a mail proves: that it was sent for the hook.
func EndKey(hook store.Hook) string {
	return base64.RawURLEncoding.EncodeToString(mac(hook.Secret, fmt.Sprintf("end hook %d", hook.ID)))
}

// isEndKey reports whether a key is the hook's EndKey, in constant time.
func isEndKey(hook store.Hook, key string) bool { return hmac.Equal([]byte(key), []byte(EndKey(hook))) }
