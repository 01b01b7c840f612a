#!/usr/bin/env bash
# autocert: a host in the list of allowed hosts is "not configured".
#
# One expects: autocert.HostWhitelist(name) lets name have a certificate; a name
# it could not use would be an error when the program starts.
# What happens, where two meet: the list passes each name through
# golang.org/x/net/idna, which refuses labels with hyphens in the third and
# fourth place, as in pv--nord.example or r3---sn.example (names that are in
# use: DNS and resolvers do not mind). Names refused are left out of the list
# without a word, and each TLS handshake then fails with "not configured in
# HostWhitelist". meter-01--lyon.example, its hyphens elsewhere, is fine.
# For whom: a dashboard or meter gateway served from Go under a generated host
# name (branch and preview deployments, site codes such as fr--0042).
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

	"golang.org/x/crypto/acme/autocert"
	"golang.org/x/net/idna"
)

func main() {
	for _, host := range []string{"prices.example", "meter-01--lyon.example", "pv--nord.example", "r3---sn.example"} {
		_, err := idna.Lookup.ToASCII(host)
		fmt.Printf("%s: idna %v; autocert %v\n", host, err, autocert.HostWhitelist(host)(context.Background(), host))
	}
}
GO
{ go mod init example.org/finding && go get golang.org/x/crypto@v0.58.0 golang.org/x/net@v0.61.0; } >/dev/null 2>&1
got=$(go run .)
printf 'golang.org/x/crypto v0.58.0, golang.org/x/net v0.61.0\n%s\n' "$got"
want='prices.example: idna <nil>; autocert <nil>
meter-01--lyon.example: idna <nil>; autocert <nil>
pv--nord.example: idna idna: invalid label "pv--nord"; autocert acme/autocert: host "pv--nord.example" not configured in HostWhitelist
r3---sn.example: idna idna: invalid label "r3---sn"; autocert acme/autocert: host "r3---sn.example" not configured in HostWhitelist'
if [ "$got" != "$want" ]; then
  echo 'CHANGED: this is no longer what was seen'
  exit 1
fi
echo 'As described.'
