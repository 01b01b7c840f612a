#!/usr/bin/env bash
# golang.org/x/oauth2: a whole token is thrown away for "expires_in": 7200.0.
#
# One expects: in JSON 7200, 7200.0 and 7.2e3 are the same number, and where
# the lifetime were unreadable the token itself still could be used.
# What happens: the client-credentials flow (the one of RTE's data portal)
# parses the number's text as an integer. With 7200.0 or 7.2e3 it gives no
# token at all but "cannot parse json"; 7200, the text "7200" and null pass.
# For whom: whoever logs in to an operator's or a trader's API from Go behind a
# server or gateway whose JSON library writes numbers with a decimal point.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
export GOFLAGS=-mod=mod GOTOOLCHAIN=local
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	for _, lifetime := range []string{`7200`, `"7200"`, `null`, `7200.0`, `7.2e3`} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token":"example","token_type":"Bearer","expires_in":%s}`, lifetime)
		}))
		config := clientcredentials.Config{ClientID: "id", ClientSecret: "example", TokenURL: server.URL}
		token, err := config.Token(context.Background())
		fmt.Printf("expires_in %-6s token %-5t error %v\n", lifetime, token != nil, err)
		server.Close()
	}
}
GO
{ go mod init example.org/finding && go get golang.org/x/oauth2@v0.37.0; } >/dev/null 2>&1
got=$(go run .)
printf 'golang.org/x/oauth2 v0.37.0\n%s\n' "$got"
want='expires_in 7200   token true  error <nil>
expires_in "7200" token true  error <nil>
expires_in null   token true  error <nil>
expires_in 7200.0 token false error oauth2: cannot parse json: strconv.ParseInt: parsing "7200.0": invalid syntax
expires_in 7.2e3  token false error oauth2: cannot parse json: strconv.ParseInt: parsing "7.2e3": invalid syntax'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
