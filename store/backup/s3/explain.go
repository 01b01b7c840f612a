package s3

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"unicode"

	"github.com/minio/minio-go/v7"
)

const (
	// hidden replaces a key that a store has repeated in its answer.
	hidden = "[hidden]"
	// maxQuoted is how many characters of a store's message are quoted.
	maxQuoted = 200
)

// refusals are what the error codes of the protocol mean.
var refusals = map[string]error{
	minio.NoSuchKey:                ErrNotFound,
	"NoSuchBucket":                 ErrNoBucket,
	"InvalidAccessKeyId":           ErrAccessKey,
	"SignatureDoesNotMatch":        ErrSecretKey,
	"AccessDenied":                 ErrDenied,
	"AuthorizationHeaderMalformed": ErrRegion,
	"PermanentRedirect":            ErrMoved,
	"RequestTimeTooSkewed":         errors.New("the clock of this machine is wrong: set it, best by NTP"),
	"QuotaExceeded":                ErrFull,
	"InsufficientStorage":          ErrFull,
	"XMinioStorageFull":            ErrFull,
	"BadDigest":                    errors.New("it did not arrive as it was sent"),
	"SlowDown":                     errors.New("the store has too much to do"),
}

// explain turns the error of a call into one line: what failed, where, and why. It contains neither key.
func (b *Bucket) explain(doing, key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", doing, b.URL(key), b.plain(err))
}

func (b *Bucket) plain(err error) error {
	var refused minio.ErrorResponse
	var long *http.MaxBytesError
	var certificate *tls.CertificateVerificationError
	var call *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return errors.New("the store took too long: is the line to it good?")
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &long), errors.Is(err, ErrNotS3):
		return ErrNotS3
	case errors.As(err, &refused):
		return b.refusal(refused)
	case errors.As(err, &certificate):
		return fmt.Errorf("%w: %s", ErrCertificate, b.quote(certificate.Err.Error()))
	case errors.As(err, &call):
		return fmt.Errorf("%w: %s", ErrUnreached, b.quote(call.Err.Error()))
	}
	return errors.New(b.quote(err.Error()))
}

func (b *Bucket) refusal(refused minio.ErrorResponse) error {
	code := refused.Code
	if refused.StatusCode == http.StatusInsufficientStorage {
		code = "InsufficientStorage"
	}
	if known := refusals[code]; known != nil {
		return known
	}
	return fmt.Errorf("the store answers %d %s", refused.StatusCode, b.quote(refused.Code+" "+refused.Message))
}

// quote returns a text of the store in one line, shortened, and without the keys.
func (b *Bucket) quote(text string) string {
	text = b.secrets.Replace(strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " "))
	if runes := []rune(text); len(runes) > maxQuoted {
		return string(runes[:maxQuoted]) + "…"
	}
	return text
}
