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

// mostWords is how much of a store's own text about a fault is passed on, in characters.
const mostWords = 200

// mends are what to do about what stores refuse, by the protocol's codes.
var mends = map[string]string{
	"NoSuchBucket":          "there is no such bucket: make it, or mend backup.s3.bucket",
	"InvalidAccessKeyId":    "the store does not know the access key: mend backup.s3.access_key",
	"SignatureDoesNotMatch": "the store refuses the secret key: mend backup.s3.secret_key",
	"AccessDenied": "the store does not allow it: give the access key the rights to list, read, write and delete in this bucket, " +
		"or mend backup.s3.access_key and backup.s3.secret_key",
	"AuthorizationHeaderMalformed": "the bucket is in another region: mend backup.s3.region",
	"PermanentRedirect":            "the bucket is at another endpoint: mend backup.s3.endpoint and backup.s3.region",
	"RequestTimeTooSkewed":         "the clock of this machine is wrong: set it, best by NTP",
	"QuotaExceeded":                noRoom,
	"InsufficientStorage":          noRoom,
	"XMinioStorageFull":            noRoom,
	"BadDigest":                    "it did not arrive as it was sent",
	"SlowDown":                     "the store has too much to do",
}

const noRoom = "the bucket is full: make room, or keep fewer backups with backup.keep"

// explain says in one line what failed, where, and what to do. It holds neither key.
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
	case errors.As(err, &long), errors.Is(err, errNotS3):
		return errNotS3
	case errors.As(err, &refused):
		return b.refusal(refused)
	case errors.As(err, &certificate):
		return fmt.Errorf("its certificate is not to be trusted: %s: mend backup.s3.endpoint", b.words(certificate.Err.Error()))
	case errors.As(err, &call):
		return fmt.Errorf("not reached: %s: mend backup.s3.endpoint if this lasts", b.words(call.Err.Error()))
	}
	return errors.New(b.words(err.Error()))
}

func (b *Bucket) refusal(refused minio.ErrorResponse) error {
	if refused.Code == minio.NoSuchKey {
		return ErrNotFound
	}
	code := refused.Code
	if refused.StatusCode == http.StatusInsufficientStorage {
		code = "InsufficientStorage"
	}
	if mend, known := mends[code]; known {
		return errors.New(mend)
	}
	return fmt.Errorf("the store answers %d %s", refused.StatusCode, b.words(refused.Code+" "+refused.Message))
}

// words is a text of the store's in one line, cut, and without the keys.
func (b *Bucket) words(text string) string {
	text = b.secrets.Replace(strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " "))
	if runes := []rune(text); len(runes) > mostWords {
		return string(runes[:mostWords]) + "…"
	}
	return text
}
