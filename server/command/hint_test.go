package command

import (
	"errors"
	"fmt"
	"testing"

	"courant/ingest"
	"courant/ingest/source"
	"courant/server/entrance"
	"courant/store/backup/s3"
	"courant/store/market"
)

func TestErrorsOfPackagesThatKnowNoKeysEndWithWhatToDo(t *testing.T) {
	refused := &source.Fault{Source: "ENTSO-E", Call: "A44", Status: 401, Message: "the security token is refused", Cause: source.ErrCredentials}
	off := ingest.OffError{Dataset: market.FCRCapacity, Source: "RTE"}
	full := fmt.Errorf("upload s3://backups/key: %w", s3.ErrFull)
	for _, test := range []struct {
		err  error
		want string
	}{
		{errors.New("something else"), "something else"},
		{refused, "ENTSO-E: A44: status 401: the security token is refused: check entsoe.security_token"},
		{off, "fcr-capacity: the feed is off: set rte.client_id and rte.client_secret"},
		{full, "upload s3://backups/key: the bucket is full: free some space, or keep fewer backups with backup.keep"},
		{fmt.Errorf("%w: 10.0.0.1: connection refused", s3.ErrUnreached), "not reached: 10.0.0.1: connection refused: correct backup.s3.endpoint if this lasts"},
		{&entrance.PortError{Err: errors.New("listen tcp :80: in use")}, "listen tcp :80: in use: set server.addr to a free one"},
		{
			&entrance.PortError{ForTLS: true, Err: errors.New("listen tcp :443: in use")},
			"listen tcp :443: in use: server.tls.domain needs this port: free it, and let this user take it (the unit of courant service install does)",
		},
		{
			errors.Join(errors.Join(off, full), errors.New("close")),
			"fcr-capacity: the feed is off: set rte.client_id and rte.client_secret; " +
				"upload s3://backups/key: the bucket is full: free some space, or keep fewer backups with backup.keep; close",
		},
		{fmt.Errorf("%w", withHint(off)), "fcr-capacity: the feed is off: set rte.client_id and rte.client_secret"},
	} {
		if got := message(test.err); got != test.want || !errors.Is(withHint(test.err), test.err) && errors.Unwrap(test.err) != nil {
			t.Errorf("%s\nwant %s", got, test.want)
		}
	}
}
