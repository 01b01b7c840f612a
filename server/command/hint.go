package command

import (
	"errors"
	"reflect"
	"strings"

	"courant/ingest"
	"courant/ingest/source"
	"courant/server"
	"courant/server/entrance"
	"courant/server/lake"
	"courant/store"
	"courant/store/backup/s3"
)

// hints are what to do about errors of other packages, which know neither the keys of the configuration nor the commands. The first
// that applies is given.
var hints = []struct {
	err  error
	hint string
}{
	{store.ErrPathTaken, "set database.path to another file"},
	{store.ErrPathNoFolder, "create it, or set database.path"},
	{store.ErrPathUnwritable, "set database.path to a file that can be written"},
	{s3.ErrNotFound, "courant check names the newest backup"},
	{s3.ErrNoBucket, "create it, or correct backup.s3.bucket"},
	{s3.ErrAccessKey, "correct backup.s3.access_key"},
	{s3.ErrSecretKey, "correct backup.s3.secret_key"},
	{s3.ErrDenied, "give the access key the rights to list, read, write and delete in this bucket, " +
		"or correct backup.s3.access_key and backup.s3.secret_key"},
	{s3.ErrRegion, "correct backup.s3.region"},
	{s3.ErrMoved, "correct backup.s3.endpoint and backup.s3.region"},
	{s3.ErrFull, "free some space, or keep fewer backups with backup.keep"},
	{s3.ErrCertificate, "correct backup.s3.endpoint"},
	{s3.ErrUnreached, "correct backup.s3.endpoint if this lasts"},
	{s3.ErrNotS3, "correct backup.s3.endpoint"},
	{server.ErrMailReply, "check that smtp.host and smtp.port lead to a mail server"},
}

// credentialKeys are the keys that hold the credentials for a source.
var credentialKeys = map[string]string{"RTE": "rte.client_id and rte.client_secret", "ENTSO-E": "entsoe.security_token"}

// hintFor returns what to do about an error, "" where its message is all there is to say.
func hintFor(err error) string {
	var off ingest.OffError
	var fault *source.Fault
	var port *entrance.PortError
	switch {
	case errors.As(err, &off):
		return "set " + credentialKeys[off.Source]
	case errors.As(err, &fault) && errors.Is(fault, source.ErrCredentials):
		return "check " + credentialKeys[fault.Source]
	case errors.As(err, &port) && port.ForTLS:
		return "server.tls.domain needs this port: free it, and let this user take it (the unit of courant service install does)"
	case errors.As(err, &port):
		return "set server.addr to a free one"
	}
	for _, known := range hints {
		if !errors.Is(err, known.err) {
			continue
		}
		if errors.As(err, new(lake.BucketError)) {
			if errors.Is(known.err, s3.ErrFull) {
				return "free some space in it"
			}
			return strings.ReplaceAll(known.hint, "backup.s3.", "export.s3.")
		}
		return known.hint
	}
	return ""
}

// hintedError is an error with what to do about it behind its message.
type hintedError struct {
	error
	hint string
}

func (e hintedError) Error() string { return e.error.Error() + ": " + e.hint }

func (e hintedError) Unwrap() error { return e.error }

// joined is the type of what errors.Join returns.
var joined = reflect.TypeOf(errors.Join(errors.ErrUnsupported))

// withHint adds what to do to an error, or to each of several joined ones. One that has a hint already is returned as it is.
func withHint(err error) error {
	if reflect.TypeOf(err) == joined {
		var all []error
		for _, one := range err.(interface{ Unwrap() []error }).Unwrap() {
			all = append(all, withHint(one))
		}
		return errors.Join(all...)
	}
	if hint := hintFor(err); hint != "" && !errors.As(err, new(hintedError)) {
		return hintedError{err, hint}
	}
	return err
}

// message is an error in one line, with what to do about it.
func message(err error) string { return strings.ReplaceAll(withHint(err).Error(), "\n", "; ") }
