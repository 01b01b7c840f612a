#!/bin/sh
# Makes clients from the description of a running Courant, compiles them and reads every route with them.
#   COURANT_URL=http://127.0.0.1:8080 COURANT_TOKEN=crt_... COURANT_DATE=2026-11-28 docs/clients/run.sh [FOLDER]
# It needs go, node, npm and the network, and writes to FOLDER only (default: a new one below the temporary folder).
set -eu
: "${COURANT_URL:?}" "${COURANT_TOKEN:?}" "${COURANT_DATE:?a delivery date that is stored}"
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work/go/courant" "$work/ts"
curl -fsS -H 'Accept-Language: en' "$COURANT_URL/api/openapi.json" -o "$work/openapi.json"

echo "== oapi-codegen"
cd "$work/go"
[ -f go.mod ] || go mod init clients
go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 \
  -generate types,client -package courant -o courant/client.go ../openapi.json
cp "$here/read.go" .
go mod tidy
go vet ./courant
go run read.go

echo "== Redocly, openapi-typescript, hey-api"
cd "$work/ts"
[ -f package.json ] || {
  npm init -y >/dev/null
  npm pkg set type=module >/dev/null
  npm install --silent --no-fund --no-audit @redocly/cli@2.77.0 openapi-typescript@7.13.0 openapi-fetch@0.17.0 \
    @hey-api/openapi-ts@0.95.0 typescript@5.9.3 esbuild@0.25.12 @types/node@22
}
npx redocly lint ../openapi.json --extends recommended --max-problems 1000
npx openapi-typescript ../openapi.json -o schema.d.ts
npx openapi-ts -i ../openapi.json -o hey
cp "$here/read.ts" .
npx tsc --noEmit --strict --noUncheckedIndexedAccess --skipLibCheck --module esnext --moduleResolution bundler --target es2022 read.ts
npx esbuild --log-level=warning --bundle --platform=node --format=esm --outfile=read.mjs read.ts
node read.mjs
